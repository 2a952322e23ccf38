"""A dataset's folder -> the catalog, a table with one row an image."""
