"""A labelled dataset -> figures and a report."""
