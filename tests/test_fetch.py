"""Editions at an address: fetched when, and only when, they changed there; what is not there is said in one line."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, replace_text

from analysis import folder
from analysis.editions import examine, open_edition
from parabook.errors import InputError

pytest.importorskip("aiohttp", reason="the extra `remote` is not installed")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """The address of a copy of the first edition, and its folder."""
    monkeypatch.setattr(folder, "CACHE", tmp_path / "cache")
    copy = Path(shutil.copytree(ROOT / "data" / "oral-2022", tmp_path / "site" / "oral"))
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "site"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/oral", copy
        server.shutdown()


def test_an_edition_at_an_address_is_the_same_and_never_stale(site: tuple[str, Path]):
    address, copy = site
    assert open_edition(address).hashes() == folder.contents(copy)
    file = copy / "legs.csv"
    stat = file.stat()
    replace_text(file, "air", "sea", 1)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (problem,) = (each for each in examine(address)[1] if each.column == "mode")
    assert (problem.file, problem.found) == (f"{address}/legs.csv", "'sea'")


def test_what_is_not_there_or_does_not_end_is_said(site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch):
    address, _ = site
    with pytest.raises(InputError, match=r"no datapackage\.json"):
        open_edition(f"{address}/nothing")
    with pytest.raises(InputError, match=r"no driver for such addresses|an address that fsspec knows"):
        open_edition("nosuch://x/y")
    monkeypatch.setattr(folder, "DEADLINE", 0.0)
    with pytest.raises(InputError, match="no whole edition within 0 s"):
        open_edition(address)
