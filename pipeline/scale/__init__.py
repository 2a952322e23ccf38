"""Predictions on a cluster, on Ray Data. Needs the extra `scale`."""
