"""On what a measurement was made."""

from __future__ import annotations

import os
import platform
import re
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import mirant

_ROOT = Path(__file__).parents[1]


def describe() -> dict[str, str]:
    """Return what one has to know to compare: Python, machine, versions, and which code it was."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": f"{os.cpu_count()} x {_cpu_name()}",
        "load": f"{load} (1, 5 and 15 minutes before)",
        "versions": ", ".join(f"{name} {version(name)}" for name in ("mirant", "msgspec")),
        "commit": _commit(_ROOT / ".git"),
        "source": _digest(Path(mirant.__file__).parent),
    }


def _cpu_name() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "unknown"


def _commit(folder: Path) -> str:
    """Return the commit that is checked out, read from git's own files; "unknown" outside of a checkout."""
    try:
        head = (folder / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        loose = folder / name
        if loose.is_file():
            return loose.read_text().strip()
        packed = (folder / "packed-refs").read_text()
        found = re.search(rf"^([0-9a-f]+) {re.escape(name)}$", packed, re.MULTILINE)
    except OSError:
        return "unknown"
    return found[1] if found else "unknown"


def _digest(package: Path) -> str:
    """Return a short digest of the code of *package*: it tells of changes since the commit."""
    digest = sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
