"""What one visitor of the page has given, chosen and got; all of it lies in memory, and only here."""

import gc
import hashlib
import time
from dataclasses import dataclass, field, replace
from typing import Any, Self

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from data.memory import give_back_memory
from pipeline.app.readings import Reading
from pipeline.prediction.outcomes import Outcome

KEY = "visit"
SETTLED_SECONDS = 2.0  # until the page of an emptied visit has been drawn anew


@dataclass(frozen=True)
class Picture:
    """An image file that the reader gave; `drawn_as` is the diagnosis of a drawn example."""

    name: str
    content: bytes = field(repr=False)
    key: str
    drawn_as: str = ""

    @classmethod
    def of(cls, name: str, content: bytes, drawn_as: str = "") -> Self:
        """The picture with a key that names its content, and tells apart equal content under two names."""
        digest = hashlib.sha256(name.encode("utf-8", "replace") + content).hexdigest()
        return cls(name, content, digest[:16], drawn_as)


@dataclass(frozen=True)
class Refused:
    """A file that was not taken, and why in words."""

    name: str
    reason: str


@dataclass
class Visit:
    """One visitor's images and what was made of them.

    Attributes
    ----------
    pictures : key -> Picture, in the order in which they came
    readings : key -> the reader's choices; without an entry there are none
    outcomes : key -> (the reading that it was computed for, what came out)
    refused : files that were not taken
    picked : key of the image that is looked at
    scales : image size (H, W) -> millimetres per pixel that the reader has measured on such an image
    moments : keys of the earlier and the later image that are compared
    revealed : keys of the images whose answer the reader has asked for in a quiz
    remembered : name -> (key, value), of what is shown now
    """

    pictures: dict[str, Picture] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    outcomes: dict[str, tuple[Any, Outcome]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    picked: str | None = None
    scales: dict[tuple[int, int], float] = field(default_factory=dict)
    revealed: set[str] = field(default_factory=set)
    moments: tuple[str, str] | None = None
    quiz: bool = False
    stopped: bool = False
    round: int = 0
    remembered: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def reading(self, key: str) -> Reading:
        """The reader's choices for an image."""
        return self.readings.get(key, Reading())

    def change(self, key: str, **choices: Any) -> None:
        """Note some choices of the reader's for an image."""
        self.readings[key] = replace(self.reading(key), **choices)

    def forget(self) -> None:
        """Let go of every image and all that came of it."""
        for held in (
            self.pictures,
            self.readings,
            self.outcomes,
            self.refused,
            self.revealed,
            self.remembered,
        ):
            held.clear()
        self.picked, self.moments, self.stopped = None, None, False
        self.round += 1
        return_memory()
        _RETURNS.append(time.monotonic() + SETTLED_SECONDS)


def return_memory() -> None:
    """Give what was freed back to the system, where its C library keeps it for later by itself."""
    gc.collect()
    give_back_memory()


def hold(key: str, value: Any) -> None:
    """Let the widget of this key, which is drawn next, show a value: what a visit holds outlasts what Streamlit does.

    A value that the widget has already is left alone: setting it would take away what is being typed into it.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


# Session -> its visit; `end_visit` takes out those whose page is closed.
_VISITS: dict[str, Visit] = {}
# When memory is to be returned once more, by the monotonic clock.
_RETURNS: list[float] = []


def current_visit() -> Visit:
    """The visit of the session whose page is being drawn."""
    visit: Visit = st.session_state.setdefault(KEY, Visit())
    context = get_script_run_ctx()
    if context:
        _VISITS[context.session_id] = visit
    return visit


def known_sessions() -> tuple[str, ...]:
    """The sessions that have or had a visit."""
    return tuple(_VISITS)


def return_memory_that_is_due() -> None:
    """Return memory once more of visits that were emptied a moment ago: Streamlit holds what their last page used until
    the next one is drawn.
    """
    due = [moment for moment in _RETURNS if moment <= time.monotonic()]
    for moment in due:
        _RETURNS.remove(moment)
    if due:
        return_memory()


def end_visit(session: str) -> None:
    """Empty the visit of a session that will not come back."""
    visit = _VISITS.pop(session, None)
    if visit:
        visit.forget()


def remembered(name: str, key: Any, make: Any) -> Any:
    """What `make` returned for this key; the visit holds one value a name, and makes it anew for another key."""
    held = current_visit().remembered
    if name not in held or held[name][0] != key:
        held.pop(name, None)  # before the new one is made, so that large ones never lie in memory together
        held[name] = (key, make())
    return held[name][1]
