"""Long work tells how far it is, to a terminal alone."""

import sys

import pytest

from data.progress import progress_bar, tracked, unwatched


def test_without_a_terminal_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("working") as progress:
        progress(1, 2)
    assert progress is unwatched
    assert list(tracked([3, 4], "working")) == [3, 4]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("working") as progress:
        progress(1, 2)
    drawn = capsys.readouterr()
    assert "working" in drawn.err and "1/2" in drawn.err
    assert drawn.out == ""


def test_beside_output_on_the_same_terminal_no_bar_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with progress_bar("working", beside_output=True) as progress:
        assert progress is unwatched
