"""What the lesion is."""
