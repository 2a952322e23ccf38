"""A file's name can neither write to the terminal nor calculate in a spreadsheet."""

import pytest

from data.text import plain_cell, spreadsheet_cell, visible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("lesion 1.jpg", "lesion 1.jpg"),
        ("naïve 病变.jpg", "naïve 病变.jpg"),
        ("\x1b[31mred\x07.jpg", r"\x1b[31mred\x07.jpg"),
        ("two\nlines\r.jpg", r"two\nlines\r.jpg"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\x9b2J", r"\x9b2J"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(name: str, shown: str) -> None:
    assert visible(name) == shown


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''-1"])
def test_what_a_spreadsheet_would_calculate_is_text(name: str) -> None:
    assert spreadsheet_cell(name) == f"'{visible(name)}"


def test_other_names_are_left_as_they_are() -> None:
    assert spreadsheet_cell("photos/a=b.jpg") == "photos/a=b.jpg"


@pytest.mark.parametrize("name", ["=1+1.jpg", "-1.jpg", "a.jpg", "'quoted'.jpg", "'=1.jpg", "''-1.jpg", ""])
def test_a_cell_is_read_as_the_name_that_it_was(name: str) -> None:
    assert plain_cell(spreadsheet_cell(name)) == name
