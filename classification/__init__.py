"""Classification: training, calibration and scoring of the MobileNetV2 that names the lesion."""
