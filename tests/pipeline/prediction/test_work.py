"""The work on one image: what is held while it is done."""

import threading
from pathlib import Path

from PIL import Image

from data.drawing.dataset import draw_lesion
from pipeline.prediction import threads
from pipeline.prediction.sources import ImageFile
from pipeline.prediction.work import Task, predict_task


def test_a_large_image_keeps_its_turn_until_its_pictures_are_written(pipeline, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(threads, "LARGE_IMAGE", 1000)
    path = tmp_path / "large.png"
    Image.fromarray(draw_lesion(1, "nv", (64, 80)).image).save(path)
    others_came_in = []

    class Pictures:
        def write(self, *_: object) -> None:
            def come_in() -> None:
                with pipeline.turn_of(pixels):
                    others_came_in.append(True)

            other = threading.Thread(target=come_in, daemon=True)
            other.start()
            other.join(0.1)
            others.append(other)
            assert not others_came_in

    pixels, others = draw_lesion(2, "nv", (64, 80)).image, []
    result = predict_task(pipeline, Pictures(), Task(ImageFile(path), "large"))
    others[0].join(10)
    assert result.facts
    assert others_came_in == [True]
