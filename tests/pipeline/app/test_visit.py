import asyncio
from types import SimpleNamespace

import pytest

pytest.importorskip("streamlit")

from pipeline.app import serving, visit
from pipeline.app.visit import Picture, Visit


@pytest.fixture
def held(monkeypatch):
    """A visit with one image, of the session "gone"; those of other tests' pages are not looked at."""
    monkeypatch.setattr(visit, "_VISITS", {})
    held = Visit()
    picture = Picture.of("red.png", b"content")
    held.pictures[picture.key] = picture
    held.change(picture.key, margin=0.5)
    visit._VISITS["gone"] = held
    return held


def run_for_a_moment(monkeypatch, active: bool) -> list[str]:
    """Let the server look after its visits; the sessions whose uploads it has dropped."""
    dropped: list[str] = []
    looks: list[str] = []
    runtime = SimpleNamespace(
        is_active_session=lambda session: looks.append(session) or active,
        uploaded_file_mgr=SimpleNamespace(remove_session_files=dropped.append),
    )
    monkeypatch.setattr(serving, "get_instance", lambda: runtime)
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(serving, "SESSION_SECONDS", 0.02)

    async def look() -> None:
        looking = asyncio.create_task(serving._end_visits())
        while not dropped and not (active and len(looks) > 10):  # far longer than SESSION_SECONDS
            await asyncio.sleep(0.01)
        looking.cancel()

    asyncio.run(look())
    return dropped


def test_nothing_of_a_visit_stays_when_its_page_has_been_closed_for_a_while(monkeypatch, held):
    assert run_for_a_moment(monkeypatch, active=False) == ["gone"]
    assert not (held.pictures or held.readings)
    assert "gone" not in visit.known_sessions()


def test_a_page_that_is_open_keeps_its_images(monkeypatch, held):
    assert run_for_a_moment(monkeypatch, active=True) == []
    assert held.pictures and held.readings


def test_memory_is_returned_once_more_when_the_emptied_page_has_been_drawn(monkeypatch, held):
    returned: list[str] = []
    monkeypatch.setattr(visit, "return_memory", lambda: returned.append("returned"))
    monkeypatch.setattr(visit, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(visit, "_RETURNS", [])
    held.forget()
    run_for_a_moment(monkeypatch, active=True)

    assert len(returned) == 2


def test_equal_content_under_two_names_is_two_images_and_under_one_is_one():
    one, other = Picture.of("a.png", b"same"), Picture.of("b.png", b"same")

    assert one.key != other.key
    assert Picture.of("a.png", b"same").key == one.key
