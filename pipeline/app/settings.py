"""How the page is served and painted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# In MB, for one file. A dermatoscope's largest TIFF has some 40.
LARGEST_UPLOAD = 64
MOST_FILES = 500
# How long a page may be out of touch before its images are forgotten: a laptop's lid, a tunnel.
SESSION_SECONDS = 120
OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

SERVING: Mapping[str, object] = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.disconnectedSessionTTL": SESSION_SECONDS,
    "server.maxUploadSize": LARGEST_UPLOAD,
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
}

# The colours of the reports. Fonts are those that come with Streamlit or the system: nothing is fetched.
THEME: Mapping[str, object] = {
    "theme.font": "sans-serif",
    "theme.headingFont": "serif",
    "theme.headingFontSizes": ["1.9rem", "1.35rem", "1.1rem"],
    "theme.headingFontWeights": [600, 600, 600],
    "theme.baseRadius": "6px",
    "theme.paddingTop": "1.5rem",
    "theme.paddingBottom": "3rem",
    "theme.light.primaryColor": "#0b5e8a",
    "theme.light.backgroundColor": "#f4f6f9",
    "theme.light.secondaryBackgroundColor": "#ffffff",
    "theme.light.textColor": "#1c2330",
    "theme.light.borderColor": "#d5dae3",
    "theme.dark.primaryColor": "#6cc0ec",
    "theme.dark.backgroundColor": "#0f1319",
    "theme.dark.secondaryBackgroundColor": "#171c24",
    "theme.dark.textColor": "#e4e8ef",
    "theme.dark.borderColor": "#2c3442",
}


@dataclass(frozen=True)
class Place:
    """Where the page is served; with a certificate and its key, over https."""

    host: str = "127.0.0.1"
    port: int = 8501
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this computer reaches it."""
        return self.host in OWN_NAMES

    def address(self, host: str) -> str:
        """The page's address for a browser that reaches this machine as `host`."""
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"


def streamlit_settings(place: Place) -> dict[str, object]:
    """Streamlit's settings: where it listens, how it serves, and the theme.

    A page that is bound to this computer answers to this computer's own names only, so that no other site can
    reach it under a name of its own.
    """
    listening: dict[str, object] = {
        "server.address": place.host,
        "browser.serverAddress": place.host,
        "server.port": place.port,
    }
    if place.is_local:
        listening["server.allowedHosts"] = ["127.0.0.1", "localhost", "[::1]"]
    if place.certificate:
        listening |= {"server.sslCertFile": str(place.certificate), "server.sslKeyFile": str(place.key)}
    return {**listening, **SERVING, **THEME}
