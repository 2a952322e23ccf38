"""Where the lesion is."""
