"""Work in threads gives the results that a loop would give, in its order, and takes no more items than it needs."""

import itertools
import threading
import time

import pytest

from pipeline.prediction.threads import LARGE_FILE, LARGE_IMAGE, Turns, in_order


def test_results_come_in_the_order_of_the_items_whichever_is_done_first():
    def work(seconds):
        time.sleep(seconds)
        return seconds * 10

    assert list(in_order(work, [0.05, 0, 0.02, 0], workers=3)) == [(0.05, 0.5), (0, 0), (0.02, 0.2), (0, 0)]


def test_items_are_worked_on_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    assert [result for _, result in in_order(lambda _: both.wait() >= 0, range(4), workers=2)] == [True] * 4


def test_an_error_is_raised_when_its_item_has_its_turn():
    results = in_order(lambda item: 1 // item, [1, 0, 2], workers=2)

    assert next(results) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_few_items_are_taken_ahead():
    taken = []
    endless = (taken.append(number) or number for number in itertools.count())
    results = in_order(str, endless, workers=2, ahead=3)

    for done in range(1, 10):
        next(results)
        assert len(taken) <= done + 5
    results.close()


def test_nothing_gives_nothing():
    assert list(in_order(str, [], workers=2)) == []


def most_at_once(turns):
    """How many of four threads are in their turns at the same time; `turns` enters one thread's."""
    inside, most, several = [], [], threading.Event()

    def work(number):
        with turns():
            inside.append(number)
            most.append(len(inside))
            if len(inside) > 1:
                several.set()
            several.wait(0.05)  # long enough for another one, if it may come
            inside.remove(number)

    list(in_order(work, range(4), workers=4))
    return max(most)


def test_large_images_and_large_files_are_worked_on_one_at_a_time():
    turns = Turns()
    assert most_at_once(lambda: turns.of((1, LARGE_IMAGE + 1))) == 1
    assert most_at_once(lambda: turns.of_file(LARGE_FILE + 1)) == 1


def test_a_large_image_in_a_large_file_waits_for_nobody():
    turns = Turns()
    with turns.of_file(LARGE_FILE + 1), turns.of((1, LARGE_IMAGE + 1)):
        pass


def test_other_images_wait_for_none():
    turns, both = Turns(), threading.Barrier(2, timeout=10)
    with turns.of((1, LARGE_IMAGE + 1)), turns.of_file(LARGE_FILE + 1):

        def work(_):
            with turns.of((1, LARGE_IMAGE)), turns.of_file(LARGE_FILE):
                return both.wait() >= 0

        assert [done for _, done in in_order(work, range(2), workers=2)] == [True, True]
