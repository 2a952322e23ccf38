"""How fast this machine finds, crops and names, how much memory it takes, and what others take for the same work."""
