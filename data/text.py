"""Names that came from elsewhere, made harmless for a terminal and for a spreadsheet."""

# Control characters, which may move the cursor or colour what follows, and marks that turn the writing's direction.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_ESCAPES = {code: chr(code).encode("unicode_escape").decode() for code in _CONTROLS}
_FORMULA = ("=", "+", "-", "@")


def visible(text: object) -> str:
    r"""The text with every control character as its escape, such as `\x1b`, so that it stays one line.

    Examples
    --------
    >>> visible("a\x1b[31m.jpg")
    'a\\x1b[31m.jpg'
    """
    return str(text).translate(_ESCAPES)


def spreadsheet_cell(text: str) -> str:
    """The text as a csv may hold it: one line, and with an apostrophe before what a spreadsheet would calculate.

    References
    ----------
    OWASP, "CSV Injection".

    Examples
    --------
    >>> spreadsheet_cell("=1+1.jpg")
    "'=1+1.jpg"
    """
    shown = visible(text)
    return f"'{shown}" if shown.lstrip("'").startswith(_FORMULA) else shown


def plain_cell(text: str) -> str:
    """What `spreadsheet_cell` was given, but for control characters."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text
