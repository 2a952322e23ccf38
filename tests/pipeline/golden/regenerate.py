"""Write the answers of the bundle that ships on data/examples, after another bundle has taken its place.

python tests/pipeline/golden/regenerate.py
"""

import json
from pathlib import Path
from typing import Any

from pipeline import LesionPipeline

FILE = Path(__file__).with_name("answers.json")
EXAMPLES = Path(__file__).parents[3] / "data" / "examples" / "images"


def answers(threads: int = 1, at_once: int = 1, *, backwards: bool = False) -> dict[str, Any]:
    """What the bundle that ships says of the examples, and the hashes of its models."""
    pipeline = LesionPipeline.load(threads=threads, at_once=at_once)
    images = sorted(EXAMPLES.glob("*.jpg"), reverse=backwards)
    said = {path.name: _answer(prediction.to_dict()) for path, prediction in pipeline.predict_many(images)}
    models = {stage: getattr(pipeline.bundle, stage).sha256 for stage in ("segmentation", "classification")}
    return {"models": models, "images": dict(sorted(said.items()))}


def _answer(prediction: dict[str, Any]) -> dict[str, Any]:
    return {
        "diagnosis": prediction["diagnosis"],
        "probabilities": {name: round(value, 6) for name, value in prediction["probabilities"].items()},
        "box": list(prediction["box"].values()) if prediction["box"] else None,
        "lesion_fraction": round(float(prediction["lesion_fraction"]), 6),
        "notes": prediction["notes"],
    }


if __name__ == "__main__":
    lines = json.dumps(answers(), indent=1)
    FILE.write_text(lines + "\n", encoding="utf-8")
    print(f"{FILE}: {len(json.loads(lines)['images'])} images")
