"""One case on one A4 page."""

from datetime import datetime
from functools import partial

from data.datasets.diagnoses import malignancy
from pipeline.bundle.loading import Bundle
from pipeline.prediction.outcomes import Outcome
from pipeline.prediction.track_record import track_record
from pipeline.prediction.wording import full_name, measure_text, percent, software, stamp
from pipeline.reports.pages import template_environment
from pipeline.reports.pictures import data_uri


def case_page(outcome: Outcome, seen: bytes, bundle: Bundle, now: datetime | None = None) -> str:
    """A page of html that prints on one sheet of A4 and needs no other file.

    Parameters
    ----------
    outcome : of an image that could be used
    seen : a JPEG of what was classified
    bundle : whose prediction it is
    now : by default the present moment
    """
    facts = outcome.facts
    return (
        template_environment()
        .get_template("case.html")
        .render(
            outcome=outcome,
            facts=facts,
            ranking=sorted(facts["probabilities"].items(), key=lambda item: -item[1]),
            headline=outcome.headline,
            record=track_record(bundle, facts["diagnosis"]),
            picture=data_uri("jpeg", outcome.picture),
            seen=data_uri("jpeg", seen),
            classified=classified(outcome),
            bundle=bundle,
            date=stamp(now),
            software=software(),
            full_name=full_name,
            malignancy=partial(malignancy, malignant=bundle.malignant),
            percent=percent,
            measure=measure_text,
        )
    )


def classified(outcome: Outcome) -> str:
    """What the classifier looked at, in words."""
    facts = outcome.facts
    if facts["view"] == "full":
        return "the whole image"
    box = facts["box"]
    place = f"{box['x1'] - box['x0']} pixels wide, {box['x0']} from the left and {box['y0']} from the top"
    return f"a square crop {place}"
