"""When things go wrong in the middle: one clear line, and the book in place stays whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ANALYSIS, ROOT, run

from parabook import files
from parabook import publish as publishing
from parabook.kernels import warm_up
from parabook.publish import OUTPUTS, exchange, publish, workshop
from parabook.run import ChapterFailed, fitting, run_one


def chapter(tmp_path: Path, *sources: str) -> Path:
    """A notebook of code cells, the ids of which are a, b, c."""
    cells = [
        {"cell_type": "code", "id": name, "metadata": {"tags": []}, "source": source, "outputs": [], "execution_count": None}
        for name, source in zip("abc", sources, strict=False)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    file = tmp_path / "chapter.ipynb"
    file.write_text(json.dumps(notebook), encoding="utf-8")
    warm_up()
    return file


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import os; os._exit(3)", "chapter chapter: its kernel died"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "chapter chapter: its kernel died"),
        ("import time; time.sleep(600)", "chapter chapter: not done after 3 seconds"),
        ("while True: pass", "chapter chapter: not done after 3 seconds"),
        ("1 / 0", "chapter chapter, cell a: ZeroDivisionError: division by zero"),
        ("raise SystemError('one\\ntwo')", "chapter chapter, cell a: SystemError: one"),
        ("1 +", "chapter chapter, cell a: SyntaxError: "),
    ],
    ids=["exits", "killed", "hangs", "spins", "fails", "fails in lines", "cannot be read"],
)
def test_a_chapter_that_ends_badly_says_so_in_a_line(tmp_path: Path, source: str, told: str):
    with pytest.raises(ChapterFailed) as failed:
        run_one(chapter(tmp_path, source), {}, tmp_path, seconds=3)
    assert str(failed.value).startswith(told)
    assert len(str(failed.value).splitlines()) == 1


def test_a_chapter_that_prints_a_gigabyte_is_ended(tmp_path: Path):
    source = "for _ in range(1000): print('x' * 1_000_000)"
    with pytest.raises(ChapterFailed, match="more than 50,000,000 characters of output"):
        run_one(chapter(tmp_path, source), {}, tmp_path, seconds=60)


def test_a_fresh_process_for_every_chapter(tmp_path: Path):
    """What one chapter does to modules, the environment and the working folder, the next does not see."""
    dirty = "import os, pandas, sys\npandas.leaked = 1; os.environ['LEAKED'] = '1'; sys.leaked = 1; os.chdir('/')"
    look = "import os, pandas, sys\nprint(hasattr(pandas, 'leaked'), 'LEAKED' in os.environ, hasattr(sys, 'leaked'), os.getcwd())"
    run_one(chapter(tmp_path, dirty), {}, tmp_path)
    seen = json.loads(run_one(chapter(tmp_path, look), {}, tmp_path).notebook)["cells"][0]["outputs"][0]["text"]
    assert "".join(seen).split() == ["False", "False", "False", str(tmp_path)]


def test_a_chapter_leaves_no_thread_and_no_open_file_behind(tmp_path: Path):
    run_one(chapter(tmp_path, "1"), {}, tmp_path)
    held = lambda: (threading.active_count(), len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0)  # noqa: E731
    before = held()
    for _ in range(3):
        worker = threading.Thread(target=run_one, args=(chapter(tmp_path, "1"), {}, tmp_path))
        worker.start()
        worker.join()
    assert all(now <= then for now, then in zip(held(), before, strict=True))


def test_as_many_side_by_side_as_memory_holds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "MemTotal: 9 kB\nMemAvailable:    1000000 kB\n")
    assert fitting(8) == 2
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "MemAvailable:    1000 kB\n")
    assert fitting(8) == 1


def outputs(base: Path, text: str) -> Path:
    """A folder with every output of a build, all of them saying the same."""
    for name in OUTPUTS[:-1]:
        (base / name).mkdir(parents=True)
        (base / name / "file").write_text(text)
    made = {name: files.hash_files(base / name) for name in OUTPUTS[:-1]}
    (base / "receipt.json").write_text(json.dumps({"digest": text, "outputs": made}))
    return base


def said(base: Path) -> set[str]:
    files = {(base / name / "file").read_text() for name in OUTPUTS[:-1]}
    return files | {json.loads((base / "receipt.json").read_text())["digest"]}


@pytest.mark.parametrize("after", range(len(OUTPUTS) + 1))
@pytest.mark.parametrize("old", [True, False], ids=["over an old book", "first"])
def test_a_publication_cut_short_is_finished_by_the_next_build(tmp_path: Path, monkeypatch, after: int, old: bool):
    out = outputs(tmp_path, "old") if old else tmp_path
    stage = outputs(tmp_path / ".stage-x", "new")
    steps = iter(range(after))

    def cut(new: Path, place: Path) -> None:
        if next(steps, None) is None:
            raise SystemExit  # as if killed here
        exchange(new, place)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "exchange", cut)
        if after == len(OUTPUTS):
            publish(stage, out)
        else:
            with pytest.raises(SystemExit):
                publish(stage, out)
    with workshop(out):
        assert said(out) == {"new"}
    assert [path for path in out.iterdir() if path.name.startswith(".stage")] == []


def test_a_book_not_ready_is_never_published(tmp_path: Path):
    out = outputs(tmp_path, "old")
    outputs(tmp_path / ".stage-x", "new")  # all there, but killed before the journal was written
    with workshop(out):
        assert said(out) == {"old"}


def whole(out: Path) -> bool:
    """Whether every output is that of the receipt in place."""
    receipt = json.loads((out / "receipt.json").read_text(encoding="utf-8"))
    return all(files.hash_files(out / name) == files for name, files in receipt["outputs"].items())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["kill", "term", "int"])
def test_a_build_ended_at_any_moment_leaves_the_book_whole(book: Path, tmp_path: Path, number: signal.Signals):
    out = Path(shutil.copytree(book, tmp_path / "out"))
    (out / "html" / "routes.html").write_text("touched")  # so that there is something to do
    chance = random.Random(int(number))
    call = [*ANALYSIS, "build", "--out", str(out)]
    started = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(chance.uniform(0.1, 2.5))
    started.send_signal(number)
    _, told = started.communicate(timeout=60)
    assert "Traceback" not in told
    if number == signal.SIGTERM and started.returncode == 130:
        assert [path for path in out.iterdir() if path.name.startswith(".stage")] == []
    run("build", "--out", out)
    assert whole(out)
    assert [path for path in out.iterdir() if path.name.startswith(".stage")] == []


def test_a_full_disk_leaves_the_old_book(book: Path, tmp_path: Path):
    """On a file system of 3 MB, where the old book fits and a second does not."""
    small = tmp_path / "small"
    small.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=5m", "none", str(small)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        out = Path(shutil.copytree(book, small / "out"))
        (out / "html" / "routes.html").write_text("touched")
        before = files.hash_files(out)
        done = run("build", "--out", out, code=2)
        assert "No space left on device" in done.stderr.splitlines()[-1]
        assert files.hash_files(out) == before
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_target_that_cannot_be_written_is_named(book: Path, tmp_path: Path):
    closed = tmp_path / "file"
    closed.write_text("")
    done = run("build", "--out", closed / "out", code=2)
    assert len(done.stderr.splitlines()) == 1
    assert str(closed) in done.stderr


def test_a_second_build_waits_for_the_first(book: Path, tmp_path: Path):
    out = Path(shutil.copytree(book, tmp_path / "out"))
    (out / "html" / "routes.html").write_text("touched")
    call = [*ANALYSIS, "build", "--out", str(out)]
    with workshop(out):
        second = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert second.stderr is not None
        assert second.stderr.readline() == f"waiting for another build of {out} to end\n"
        assert (out / "html" / "routes.html").read_text() == "touched"
    second.communicate(timeout=120)
    assert second.returncode == 0
    assert whole(out)


def test_python_is_this_one():
    """The tests above kill processes of this interpreter, not of a wrapper around it."""
    assert os.path.samefile(ANALYSIS[0], sys.executable)
