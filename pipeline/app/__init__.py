"""The page in a browser: it shows what `pipeline` and `segmentation` compute, and computes nothing of its own."""
