"""The machine's facts: what a reader needs to judge the figures, and nothing that names the machine."""

import os
import platform
import re
import subprocess
from pathlib import Path

from data.packages import package_versions
from pipeline.bundle.litert import usable_cores

PACKAGES = (
    "lesion",
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "tensorflow",
    "keras",
    "segmentation-models",
    "torch",
    "segmentation-models-pytorch",
)


def machine_facts() -> dict[str, str]:
    """Name -> text: processor, cores, memory, system and versions."""
    return {
        "processor": _processor(),
        "cores": str(usable_cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        **package_versions(PACKAGES),
    }


def _processor() -> str:
    if platform.system() == "Linux":
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        if name := re.search(r"^model name\s*:\s*(.+)$", facts, re.MULTILINE):
            return name.group(1)
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):  # not offered by Windows
        return "unknown"
