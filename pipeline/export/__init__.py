"""Trained Keras models -> a bundle."""
