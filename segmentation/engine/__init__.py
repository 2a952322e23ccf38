"""The training engine that both stages share: phases, loop, feeding, run folder."""
