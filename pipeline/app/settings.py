"""How the page is served and painted, as options of `streamlit run`."""

from collections.abc import Iterator, Mapping

# In MB, for one file. A dermatoscope's largest TIFF has some 40.
LARGEST_UPLOAD = 64
MOST_FILES = 500

SERVING: Mapping[str, object] = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
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


def streamlit_options(host: str, port: int) -> list[str]:
    """The options for `streamlit run`: where it listens, how it serves, and the theme.

    A page that is bound to this computer answers to this computer's own names only, so that no other site can
    reach it under a name of its own.
    """
    place: dict[str, object] = {"server.address": host, "browser.serverAddress": host, "server.port": port}
    if host in {"127.0.0.1", "localhost", "::1"}:
        place["server.allowedHosts"] = ["127.0.0.1", "localhost", "[::1]"]
    return list(_options({**place, **SERVING, **THEME}))


def _options(settings: Mapping[str, object]) -> Iterator[str]:
    for name, value in settings.items():
        for part in value if isinstance(value, list) else [value]:
            yield f"--{name}={str(part).lower() if isinstance(part, bool) else part}"
