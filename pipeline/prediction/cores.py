"""How many processes are worth starting on this machine."""

from pathlib import Path

from pipeline.bundle.litert import usable_cores


def default_workers() -> int:
    """One process for each core that this process may use, less where the container has a quota of them."""
    return max(1, min(usable_cores(), int(_quota())))


def _quota() -> float:
    """Cores that Linux's control group grants, 1 or more; very many where it sets no limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1.0, int(quota) / int(period))
    except (OSError, ValueError):
        return float(2**31)
