"""DICOMweb: looking for photographs in a PACS (QIDO), fetching them (WADO), and storing results (STOW)."""

import ipaddress
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from dicomweb_client import DICOMwebClient
from pydicom import Dataset

from data.files import replacing
from data.images import ImageError
from pipeline.dicom.reading import PHOTOGRAPHS, read_dataset

USER, PASSWORD, TOKEN = "DICOMWEB_USER", "DICOMWEB_PASSWORD", "DICOMWEB_TOKEN"
CERTIFICATE, KEY = "DICOMWEB_CERTIFICATE", "DICOMWEB_KEY"

Json = Mapping[str, Any]


class WebError(Exception):
    """A DICOMweb service that can't be used; the message names it, what is wrong, and the mend."""


class Pacs:
    """A DICOMweb service.

    Credentials come from the environment: `DICOMWEB_USER` and `DICOMWEB_PASSWORD`, or `DICOMWEB_TOKEN`; else from
    `~/.netrc` or the file that `NETRC` names. Certificates too: `REQUESTS_CA_BUNDLE` for the service's,
    `DICOMWEB_CERTIFICATE` and `DICOMWEB_KEY` for the client's own.

    Parameters
    ----------
    url : str
        The service's root, like `https://pacs.example/dicom-web`.
    without_tls : bool
        Whether an address that begins with `http:` is taken for other machines than this one.

    Raises
    ------
    WebError
        If the address is none, holds credentials, or would send patients' data in the open.
    """

    def __init__(self, url: str, without_tls: bool = False) -> None:
        _check_address(url, without_tls)
        self.url = url
        self._client = DICOMwebClient(url.rstrip("/"), session=_session(os.environ), timeout=60)
        self._client.set_http_retry_params(retry=False)

    def studies(self, date: str | None = None, accession: str | None = None) -> list[str]:
        """UIDs of the studies of a date (YYYYMMDD, or a range with `-`) or with an accession number.

        Raises
        ------
        WebError
            If the service can't be reached, or refuses.
        """
        asked = {"StudyDate": date, "AccessionNumber": accession}
        with _telling(self.url):
            found = self._client.search_for_studies(
                fields=["StudyInstanceUID"],
                search_filters={name: value for name, value in asked.items() if value},
                get_remaining=True,
            )
        return [uid for study in found if (uid := _value(study, "0020000D"))]

    def fetch(self, study: str, folder: Path) -> Iterator[Path]:
        """Write the photographs of a study to a folder, each as it is stored; yields their paths as they come.

        Raises
        ------
        WebError
            If the service can't be reached, or refuses.
        """
        with _telling(self.url):
            found = self._client.search_for_instances(study_instance_uid=study, get_remaining=True)
        for instance in found:
            if _value(instance, "00080016") in PHOTOGRAPHS:
                yield self._fetch(study, instance, folder)

    def _fetch(self, study: str, instance: Json, folder: Path) -> Path:
        series, image = _value(instance, "0020000E"), _value(instance, "00080018")
        with _telling(self.url):
            dataset = self._client.retrieve_instance(
                study, series, image, media_types=(("application/dicom", "*"),)
            )
        path = folder / f"{dataset.SOPInstanceUID}.dcm"
        with replacing(path) as temporary:
            dataset.save_as(temporary, enforce_file_format=True)
        return path

    def send(self, paths: Iterable[Path]) -> Iterator[tuple[Path, ImageError | None]]:
        """Store files, one after the other; yields each with what is wrong, or None where it is stored.

        Raises
        ------
        WebError
            If the service can't be reached, or refuses everybody.
        """
        for path in paths:
            try:
                dataset = read_dataset(path, with_pixels=True)
            except ImageError as error:
                yield path, error
                continue
            with _telling(self.url):
                answer = self._client.store_instances([dataset])
            yield path, _refusal(path, answer)


def _session(environment: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    if token := environment.get(TOKEN):
        session.auth = _Bearer(token)
    elif user := environment.get(USER):
        session.auth = (user, environment.get(PASSWORD, ""))
    if certificate := environment.get(CERTIFICATE):
        session.cert = (certificate, environment[KEY]) if environment.get(KEY) else certificate
    return session


class _Bearer(requests.auth.AuthBase):
    """A token in each request; unlike a header of the session it keeps `~/.netrc` from taking its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _check_address(url: str, without_tls: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise WebError(
            f"{url}: is no address of a DICOMweb service; give one like https://pacs.example/dicom-web."
        )
    if parts.username or parts.password:
        raise WebError(
            f"{parts.scheme}://{host}: credentials in an address are seen by every user of the machine; "
            f"set {USER} and {PASSWORD}, or {TOKEN}, and leave them out of the address."
        )
    if parts.scheme == "http" and not without_tls and not _is_this_machine(host):
        raise WebError(
            f"{url}: would send patients' data without encryption; give an https address, "
            "or --without-tls in a closed network."
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """Turn what goes wrong between here and the service into a sentence."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise WebError(
            f"{url}: the certificate is not trusted; name the file with your hospital's certificates "
            "in REQUESTS_CA_BUNDLE."
        ) from error
    except requests.exceptions.HTTPError as error:
        raise WebError(f"{url}: {_reason(error)}") from error
    except requests.exceptions.RequestException as error:
        raise WebError(f"{url}: can't be reached; check the address and that the service runs.") from error


def _reason(error: requests.exceptions.HTTPError) -> str:
    status = error.response.status_code if error.response is not None else 0
    if status in {401, 403}:
        return f"refuses the credentials ({status}); set {USER} and {PASSWORD}, or {TOKEN}, or fill ~/.netrc."
    if status == 404:
        return "knows no such study, or is no DICOMweb service (404); check the address and the UID."
    return f"answers with the status {status}; look into the service's log."


def _value(attributes: Json, tag: str) -> str:
    """The first value of an attribute, or nothing."""
    values = attributes.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _refusal(path: Path, answer: Dataset) -> ImageError | None:
    if refused := answer.get("FailedSOPSequence"):
        reason = refused[0].get("FailureReason", 0)
        return ImageError(f"{path}: the service does not store it (reason {reason:#06x}); look into its log.")
    return None
