"""What is wrong with a dataset, as a reason to stop or as something to say."""

from data.text import visible


class DatasetError(Exception):
    """A dataset that can't be used; the message names the folder or file, what is wrong, and the mend, in one line."""

    def __str__(self) -> str:
        return visible(super().__str__())


class DatasetWarning(UserWarning):
    """Something in a dataset that is left out, or that a split may leak by; the message names it and the mend."""

    def __str__(self) -> str:
        return visible(super().__str__())
