"""Segmentation: training and scoring of the U-Net that finds the lesion, and cropping to it."""
