"""Datasets and images: reading, checking, splitting and augmenting them, and batches for a training."""
