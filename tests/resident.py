"""What of a mapped file this process holds; Linux tells."""

from pathlib import Path

import pytest

SMAPS = Path("/proc/self/smaps")
linux_only = pytest.mark.skipif(not SMAPS.exists(), reason="only Linux tells what is resident")


def resident_kb(file: Path) -> int:
    """Kilobytes of its pages; the file has to be mapped."""
    lines = iter(SMAPS.read_text().splitlines())
    for line in lines:
        if line.endswith(str(file)):
            return next(int(one.split()[1]) for one in lines if one.startswith("Rss:"))
    raise AssertionError(f"{file} is not mapped")
