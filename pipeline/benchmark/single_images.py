"""A bundle on single images in a process that has predicted others before; prints their seconds as JSON."""

import json
import sys
from pathlib import Path

from pipeline.benchmark.stages import StageTimer, time_images
from pipeline.bundle.loading import load_bundle

if __name__ == "__main__":
    contents = [image.read_bytes() for image in sorted(Path(sys.argv[1]).glob("*.jpg"))]
    split = time_images(StageTimer(load_bundle(sys.argv[2])), contents, int(sys.argv[3]))
    print(json.dumps({"seconds": [sum(stages.values()) for stages in split]}))
