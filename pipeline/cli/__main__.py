"""`python -m pipeline.cli`."""

from pipeline.cli.lesion import main

main()
