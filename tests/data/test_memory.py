import platform
import subprocess
import sys

import pytest

GROWTH = """
import ctypes, sys
from data.memory import keep_little_memory

def resident():
    with open("/proc/self/status") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0]) / 1024

if sys.argv[1] == "little":
    keep_little_memory()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]

def blocks(count, size):
    made = [library.malloc(size) for _ in range(count)]
    for block in made:
        ctypes.memset(block, 1, size)
    return made

library.free(blocks(1, 2**23)[0])  # after which glibc takes what is smaller from its heap
before = resident()
*freed, kept = blocks(50, 2**20 + 1)
for block in freed:
    library.free(block)
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps so much of it")
def test_freed_blocks_beneath_one_that_stays_go_back_to_the_system():
    """Megabytes that are held of 50, of which 49 were freed."""

    def growth(kept: str) -> float:
        command = [sys.executable, "-c", GROWTH, kept]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert growth("little") < 10
    assert growth("as it is") > 40
