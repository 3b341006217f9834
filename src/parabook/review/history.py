"""What git says of the files that results are made from."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

MOST_COMMITS = 30

NOT_COMMITTED = "not committed"


@dataclass(frozen=True)
class History:
    """What was approved and what was run, in words, and the commits between with the files that each changed."""

    old: str = "the approved state"
    new: str = "this run"
    commits: tuple[tuple[str, tuple[str, ...]], ...] = ()


def history(root: Path, approved: Path, files: Collection[Path]) -> History:
    """The history of files since the approved state was committed; without a whole history nothing is claimed."""

    def git(*arguments: str) -> str:
        call = ["git", "-C", str(root), *arguments]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    # In a shallow clone everything came with its oldest commit.
    if not approved.is_relative_to(root) or git("rev-parse", "--is-shallow-repository") != "false":
        return History()
    inside = [str(file) for file in files if file.is_relative_to(root)] or [str(approved)]
    base = git("log", "-1", "--format=%h (%cs)", "--", str(approved))
    head = git("log", "-1", "--format=%h (%cs)")
    changed = git("-c", "status.relativePaths=true", "status", "--short", "--", *inside)
    uncommitted = tuple(line.split(maxsplit=1)[1] for line in changed.splitlines())
    between = f"{base.split()[0]}..HEAD" if base else "HEAD"
    log = git("log", f"-{MOST_COMMITS}", "--relative", "--name-only", "--format=%x00%h %s", between, "--", *inside)
    commits = [tuple(filter(None, commit.splitlines())) for commit in log.split("\0") if commit] if base else []
    old = f"the state approved in commit {base}" if base else "the approved state, not committed"
    if base and git("status", "--porcelain", "--", str(approved)):
        old += ", changed since and not committed"
    new = f"this run, at commit {head}, {'with changes that are not committed' if changed else 'all of it committed'}"
    since = [(NOT_COMMITTED, uncommitted)] * bool(uncommitted) + [(text, names) for text, *names in commits]
    return History(old, new if head else "this run", tuple((text, tuple(names)) for text, names in since))
