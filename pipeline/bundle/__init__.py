"""Bundles: the folder that holds both models and all that is needed to use them."""
