"""`python -m pipeline`, from a checkout; where Lesion is installed, `python -m lesion` is the same."""

from pipeline.cli import main

main()
