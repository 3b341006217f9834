"""What git says of the files that results are made from."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class History:
    """What was approved and what was run, in words, and the commits between with the files that each changed."""

    old: str = ""
    new: str = ""
    commits: tuple[tuple[str, tuple[str, ...]], ...] = ()


UNKNOWN = History()


def history(root: Path, approved: Path, files: Collection[Path]) -> History:
    """The history of files since the approved state was committed; without a whole history nothing is claimed."""

    def git(*arguments: str) -> str:
        call = ["git", "-C", str(root), *arguments]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    base = git("log", "-1", "--format=%h (%cs)", "--", str(approved))
    # In a shallow clone everything came with its oldest commit.
    if not base or git("rev-parse", "--is-shallow-repository") != "false":
        return History("the approved state", "this run")
    head = git("log", "-1", "--format=%h (%cs)")
    inside = [str(file) for file in (approved, *files) if file.is_relative_to(root)]
    changed = tuple(line.split(maxsplit=1)[1] for line in git("status", "--short", "--", *inside[1:]).splitlines())
    log = ("log", "-30", "--no-merges", "--relative", "--name-only", "--format=%x00%h %s")
    found = git(*log, f"{base.split()[0]}..HEAD", "--", *inside[1:]).split("\0")[1:]
    commits = [("not committed", changed)] * bool(changed)
    commits += [(text, tuple(filter(None, names))) for text, *names in (each.splitlines() for each in found)]
    approval = ", changed since and not committed" if git("status", "--short", "--", inside[0]) else ""
    state = "with changes that are not committed" if changed else "all of it committed"
    return History(f"approved in commit {base}{approval}", f"this run, at commit {head}, {state}", tuple(commits))
