"""What can go wrong with a whole run of predictions, apart from what can do so, which takes longer to import."""


class ResultsError(Exception):
    """Results that can't be gone on with; the message names the file, what is wrong with it, and the mend."""


class WorkerError(Exception):
    """A process that can't be started."""
