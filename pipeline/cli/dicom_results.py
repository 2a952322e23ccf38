"""What `lesion predict --dicom` adds: its options, its folder, and the table of measurements."""

# ruff: noqa: PLC0415 - who asks for no DICOM does not wait for its libraries

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.console import complain, needing_extra

if TYPE_CHECKING:
    from pipeline.dicom.folder import DicomFolder
    from pipeline.prediction.appending import GrowingTable
    from pipeline.prediction.work import Result

DicomOption = Annotated[
    Path | None,
    typer.Option(
        "--dicom",
        metavar="DIR",
        file_okay=False,
        help="For DICOM images: write masks, reports and pictures as DICOM, and measurements.csv, to this folder.",
        show_default=False,
    ),
]
DicomFractionalOption = Annotated[
    bool,
    typer.Option("--dicom-fractional", help="With --dicom: the masks hold the probability of lesion."),
]
DicomIdsOption = Annotated[
    bool,
    typer.Option(
        "--dicom-ids", help="With --dicom: measurements.csv holds patient IDs, accession numbers and UIDs."
    ),
]


@dataclass(frozen=True)
class DicomChoice:
    """What was asked for."""

    folder: Path | None
    fractional: bool
    ids: bool

    def check(self) -> None:
        """Raise `BadParameter` where an option says nothing without --dicom."""
        for option, given in (("--dicom-fractional", self.fractional), ("--dicom-ids", self.ids)):
            if given and self.folder is None:
                raise typer.BadParameter("it needs --dicom DIR to write to.", param_hint=option)


class DicomResults:
    """The folder of DICOM results while a run goes on. Made by `dicom_results`.

    Attributes
    ----------
    folder : DicomFolder
        Writes the results of an image in the process that predicted it.
    """

    def __init__(self, folder: "DicomFolder", table: "GrowingTable") -> None:
        self.folder = folder
        self._table = table
        self._others = 0

    def add(self, result: "Result") -> None:
        """Write an image's row; one that came from no DICOM file has none."""
        from pipeline.dicom.table import table_row

        if result.also:
            self._table.add(table_row(result.name, result.also))
        elif result.facts is not None:
            self._others += 1

    def tell_others(self) -> None:
        """Say how many images were no DICOM files."""
        if self._others:
            images = "1 image" if self._others == 1 else f"{self._others} images"
            complain(
                f"{images} came from no DICOM file: nothing is in {self.folder.folder} for what has no study."
            )


@contextmanager
def dicom_results(choice: DicomChoice, resume: bool) -> Iterator[DicomResults | None]:
    """Yield where DICOM results are written, or None where none are asked for.

    Raises
    ------
    OSError
        If the folder can't be written to.
    """
    if choice.folder is None:
        yield None
        return
    with needing_extra("dicom"):
        from pipeline.dicom.folder import DicomFolder
        from pipeline.dicom.table import NAME, table_columns
    from pipeline.prediction.appending import GrowingTable

    path, columns = choice.folder / NAME, table_columns(choice.ids)
    choice.folder.mkdir(parents=True, exist_ok=True)
    goes_on = resume and path.exists()
    table = GrowingTable.go_on(path, columns) if goes_on else GrowingTable.start(path, columns)
    with closing(table):
        results = DicomResults(DicomFolder(choice.folder, choice.fractional, choice.ids), table)
        yield results
        results.tell_others()
