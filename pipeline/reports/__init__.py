"""Pages, plots and pictures that several reports share."""
