"""Images of many requests, predicted a few at a time; what does not fit is refused and not remembered."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from data.images import ImageError
from pipeline.prediction.predictor import LesionPipeline, Prediction
from pipeline.prediction.reading import opened

Answer = Prediction | ImageError


class BusyError(Exception):
    """More images are waiting than the server takes."""


class Batcher:
    """Predicts the images of all requests in the order in which they came, as many at once as the pipeline can.

    Threads take the next image as soon as they are free, so that images of several requests are worked on together and
    none waits for a batch to fill: LiteRT's models take one image at a time, and a larger batch gains nothing.

    Parameters
    ----------
    pipeline : LesionPipeline
    most_waiting : int
        Images that may be waiting or worked on; more raise `BusyError`.
    """

    def __init__(self, pipeline: LesionPipeline, most_waiting: int) -> None:
        self._pipeline = pipeline
        self._most_waiting = most_waiting
        self._threads = ThreadPoolExecutor(pipeline.at_once + 1, thread_name_prefix="predict")
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """Images that are waiting or worked on."""
        return self._under_way

    async def predict(self, contents: Sequence[bytes]) -> list[Answer]:
        """Predict image files' contents.

        Raises
        ------
        BusyError
            If they do not all fit among those that are waiting; none of them is then predicted.
        """
        if self._under_way + len(contents) > self._most_waiting:
            raise BusyError
        loop = asyncio.get_running_loop()
        self._under_way += len(contents)
        futures = [loop.run_in_executor(self._threads, self._answer, content) for content in contents]
        for future in futures:
            future.add_done_callback(self._leave)
        try:
            return list(await asyncio.gather(*futures))
        except asyncio.CancelledError:  # nobody waits any more: what has not begun need not begin
            for future in futures:
                future.cancel()
            raise

    def close(self) -> None:
        """Predict nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _: object) -> None:
        self._under_way -= 1

    def _answer(self, content: bytes) -> Answer:
        try:
            image = opened(content)
            with self._pipeline.turn_of(image):
                return self._pipeline.predict(image)
        except ImageError as error:
            return error
        except Exception as error:  # one image never ends the server
            return ImageError(f"image: can't be predicted ({type(error).__name__}); convert it.")
