"""What the server takes, and from whom."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerSettings:
    """Limits of the server.

    Attributes
    ----------
    token : str
        Requests must bring it as `Authorization: Bearer <token>`; "" lets everybody in who can connect.
    most_bytes : int
        Of one request, all images together.
    most_images : int
        In one request.
    most_waiting : int
        Images of all requests that wait or are worked on; more are refused with status 429.
    seconds : float
        A request that takes longer is refused with status 503.
    """

    token: str = ""
    most_bytes: int = 64 * 2**20
    most_images: int = 32
    most_waiting: int = 64
    seconds: float = 60.0
