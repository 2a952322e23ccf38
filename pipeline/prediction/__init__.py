"""From an image to a mask, a crop, a diagnosis, and files."""
