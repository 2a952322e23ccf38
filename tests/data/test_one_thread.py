"""OpenCV gets its threads back when the work that wanted it in one thread is done."""

import cv2
import pytest

from data.one_thread import opencv_in_one_thread


@pytest.fixture(autouse=True)
def three_threads():
    """OpenCV starts with three threads, whatever the machine has."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(before)


def test_the_threads_come_back_also_after_an_error() -> None:
    with pytest.raises(ValueError, match="stop"), opencv_in_one_thread():
        assert cv2.getNumThreads() == 1
        raise ValueError("stop")
    assert cv2.getNumThreads() == 3


def test_blocks_may_overlap_and_the_last_one_restores() -> None:
    first, second = opencv_in_one_thread(), opencv_in_one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 3
