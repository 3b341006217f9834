"""What git says of the files that results are made from."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from pathlib import Path

Commits = tuple[tuple[str, tuple[str, ...]], ...]
"""Commits in words, each with the files that it changed."""


def history(root: Path, approved: Path, files: Collection[Path]) -> tuple[str, Commits]:
    """Since when a state is approved, and the commits since then that changed files; without a whole history, nothing."""

    def git(*arguments: str) -> str:
        call = ["git", "-C", str(root), *arguments]
        try:
            return subprocess.run(call, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return ""

    base = git("log", "-1", "--format=%h (%cs)", "--", str(approved))
    # In a shallow clone everything came with its oldest commit.
    if not base or git("rev-parse", "--is-shallow-repository") != "false":
        return "", ()
    inside = [str(file) for file in files if file.is_relative_to(root)]
    changed = tuple(line.split(maxsplit=1)[1] for line in git("status", "--short", "--", *inside).splitlines())
    log = ("log", "-30", "--no-merges", "--relative", "--name-only", "--format=%x00%h %s")
    found = [each.splitlines() for each in git(*log, f"{base.split()[0]}..HEAD", "--", *inside).split("\0")[1:]]
    commits = [(text, tuple(filter(None, names))) for text, *names in found]
    approval = ", changed since and not committed" if git("status", "--short", "--", str(approved)) else ""
    return f"commit {base}{approval}", (*[("not committed", changed)][: len(changed)], *commits)
