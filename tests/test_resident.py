"""A server of warm kernels that a user starts: whom it serves, and when it ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parabook import resident
from parabook.errors import InputError
from parabook.server import Server, work

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="kernels end with the process that forked them on Linux"
)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own; its path is short, as it leads to a socket."""
    short = Path("/tmp") / f"parabook-{os.getpid()}-{tmp_path.name[-2:]}"
    short.symlink_to(tmp_path)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(short))
    yield short
    short.unlink()


@contextlib.contextmanager
def started(root: Path, minutes: float) -> Iterator[subprocess.Popen[str]]:
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (root / "index.md").write_text("# A book\n")
    (root / "pyproject.toml").write_text("[tool.parabook]\npreload = ['colorsys']\n")
    command = [sys.executable, "-m", "parabook.cli", "serve", str(root), "--minutes", str(minutes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("kernels named parabook-warm start from here")
            yield process
        finally:
            process.kill()


def test_programs_share_it_until_nobody_asks(runtime: Path, tmp_path: Path):
    with started(tmp_path, 0.06) as process:
        for _ in range(2):
            connection = resident.connected()
            assert connection
            server = Server(connection)
            forked = server.fork(work)
            forked.connection.send((eval, ("'colorsys' in __import__('sys').modules",)))
            assert forked.connection.recv() == (None, True), "what the book preloads is loaded"
            assert process.pid in [each.pid for each in forked.parents()]
            server.stop()
            forked.wait(10)
            assert process.poll() is None
        assert process.wait(40) == 0
    assert resident.connected() is None
    assert not resident.address().exists()


def test_there_is_one_and_only_its_user_can_reach_it(runtime: Path, tmp_path: Path):
    with started(tmp_path, 1):
        assert resident.address().parent.stat().st_mode & 0o077 == 0
        with pytest.raises(InputError, match="one that runs already"):
            resident.serve([], 1)
        resident.address().parent.chmod(0o755)
        assert resident.connected() is None


def test_code_that_may_be_edited_is_watched():
    watched = resident._own_code()
    assert Path(resident.__file__) in watched
    assert not [file for file in watched if "site-packages" in file.parts]
