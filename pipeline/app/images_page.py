"""The page of the reader's images: one, or a table of many and the chosen one."""

from pipeline.app.many import show_many
from pipeline.app.one import show_one
from pipeline.app.sources import given_pictures, show_removal, show_sources
from pipeline.prediction.predictor import LesionPipeline


def show_images(pipeline: LesionPipeline) -> None:
    """Take images, and show what the pipeline says about them."""
    show_sources()
    pictures = given_pictures()
    if pictures:
        show_one(pipeline, show_many(pipeline, pictures) if len(pictures) > 1 else pictures[0])
    show_removal()
