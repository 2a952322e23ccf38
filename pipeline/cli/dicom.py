"""The `lesion dicom` commands."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from data.progress import progress_bar
from pipeline.cli.console import SOME_FAILED, UNUSABLE, complain, needing_extra, stopping_on

app = typer.Typer(
    help="Fetch photographs from a PACS, store results in it, and share photographs without their patients.",
    epilog="Credentials: DICOMWEB_USER and DICOMWEB_PASSWORD, DICOMWEB_TOKEN, or ~/.netrc. See docs/dicom.md.",
    no_args_is_help=True,
)

UrlArgument = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="Root of the DICOMweb service, like https://pacs.example/dicom-web.",
        show_default=False,
    ),
]
FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="DICOM files, and folders of them.", show_default=False),
]
OutputOption = Annotated[
    Path,
    typer.Option(
        "--output", metavar="DIR", file_okay=False, help="Folder for the files.", show_default=False
    ),
]
WithoutTlsOption = Annotated[
    bool,
    typer.Option("--without-tls", help="Take an http address of another machine, in a closed network."),
]


@app.command(epilog="Example: lesion dicom find https://pacs.example/dicom-web --date 20260101-20260131")
def find(
    url: UrlArgument,
    date: Annotated[
        str | None, typer.Option(metavar="DATE", help="YYYYMMDD, or two of them with - between.")
    ] = None,
    accession: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="The examination's accession number.")
    ] = None,
    without_tls: WithoutTlsOption = False,
) -> None:
    """Print the UIDs of studies, one a line, and nothing of their patients."""
    with needing_extra("dicom"):
        from pipeline.dicom.web import Pacs, WebError
    with stopping_on(WebError):
        for study in Pacs(url, without_tls).studies(date, accession):
            print(study)


@app.command(
    epilog="Example: lesion dicom fetch https://pacs.example/dicom-web --study 1.2.3 --output photographs"
)
def fetch(
    url: UrlArgument,
    studies: Annotated[
        list[str],
        typer.Option("--study", metavar="UID", help="UID of a study; may be repeated.", show_default=False),
    ],
    output: OutputOption,
    without_tls: WithoutTlsOption = False,
) -> None:
    """Write the photographs of studies to a folder, as the PACS holds them."""
    with needing_extra("dicom"):
        from pipeline.dicom.web import Pacs, WebError
    with stopping_on(WebError), progress_bar("fetching") as progress:
        pacs = Pacs(url, without_tls)
        for study in studies:
            number = 0
            for number, _ in enumerate(pacs.fetch(study, output), start=1):
                progress(number, None)
            print(f"{study}: {number} photographs")


@app.command(epilog="Example: lesion dicom send https://pacs.example/dicom-web results")
def send(url: UrlArgument, paths: FilesArgument, without_tls: WithoutTlsOption = False) -> None:
    """Store DICOM files in a PACS.

    A file that can't be stored is named on standard error, the others are stored, and the exit status is 1.
    """
    with needing_extra("dicom"):
        from pipeline.dicom.web import Pacs, WebError
    files = _files(paths)
    failed = 0
    with stopping_on(WebError), progress_bar("sending") as progress:
        for done, (_, error) in enumerate(Pacs(url, without_tls).send(files), start=1):
            if error:
                failed += 1
                complain(error)
            progress(done, len(files))
    _tell(len(files) - failed, len(files), "stored")


@app.command(epilog="Example: lesion dicom deidentify photographs --output shared")
def deidentify(paths: FilesArgument, output: OutputOption) -> None:
    """Write photographs without their patients, after the Basic Profile of DICOM PS3.15.

    A file in which something of the patient would stay is named on standard error, the others are written, and the
    exit status is 1.
    """
    with needing_extra("dicom"):
        from data.images import ImageError
        from pipeline.dicom.deidentify import Pseudonyms, deidentify_file
    files = _files(paths)
    pseudonyms, failed = Pseudonyms(), 0
    with stopping_on(), progress_bar("de-identifying") as progress:
        for done, file in enumerate(files, start=1):
            try:
                deidentify_file(file, output, pseudonyms)
            except ImageError as error:
                failed += 1
                complain(error)
            progress(done, len(files))
    _tell(len(files) - failed, len(files), "written without their patients")


def _files(paths: list[Path]) -> list[Path]:
    files = [file for path in paths for file in _files_under(path)]
    if not files:
        complain(
            f"{', '.join(map(str, paths))}: no DICOM files there; give files, or folders that hold some."
        )
        raise typer.Exit(UNUSABLE)
    return files


def _files_under(path: Path) -> Iterator[Path]:
    from data.datasets.walking import visible_files
    from pipeline.dicom.recognition import is_dicom, is_index

    if path.is_dir():
        yield from (file for file in visible_files(path) if is_dicom(file) and not is_index(file))
    else:
        yield path


def _tell(done: int, total: int, what: str) -> None:
    print(f"{done} of {total} files {what}")
    if done < total:
        raise typer.Exit(SOME_FAILED)
