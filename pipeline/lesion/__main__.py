"""`python -m lesion`: the command, also in a folder that holds a `data.py` of its own."""

import sys

if not sys.flags.safe_path and sys.path:
    del sys.path[0]  # the working folder, which the `lesion` command does not look into either

from pipeline.cli import main

main()
