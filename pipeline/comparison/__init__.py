"""Crop against full image, answered on a labelled dataset: trained arms, paired statistics, a verdict, a report."""
