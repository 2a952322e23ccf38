"""Predictions over HTTP, for programs on this computer or in a cluster. Needs the extra `serve`."""
