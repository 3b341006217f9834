"""Install a lock file, two halves of it side by side: pip unpacks on one processor, and no package waits for another.

``python tools/install.py LOCK``, in the environment to install into. Every package has its hash, nothing is resolved, and
what is imported is compiled then, and no more. ``pip install --no-deps --require-hashes -r LOCK`` does the same, slower.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PIP = [
    sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps",
    "--require-hashes", "--requirement",
]  # fmt: skip


def main(lock: Path) -> int:
    """The exit code of pip, of whichever half has the worse."""
    packages = [each for each in re.split(r"^(?=\S)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE) if each]
    with tempfile.TemporaryDirectory() as folder:
        halves = [Path(folder, f"{n}.txt") for n in range(2)]
        for n, half in enumerate(halves):
            half.write_text("".join(packages[n::2]), encoding="utf-8")
        running = [subprocess.Popen([*PIP, str(half)]) for half in halves]
        return max(process.wait() for process in running)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
