"""When things go wrong in the middle: one clear line, and the book in place stays whole."""

from __future__ import annotations

import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from conftest import ROOT, edit_json, replace_text, run
from test_books import made, plan_of

from analysis.publish.plugin import EditionPlugin
from parabook import files, kernels
from parabook import run as runner
from parabook.book import Book
from parabook.build import BuildOptions, build
from parabook.cache import ChapterRun
from parabook.errors import InputError
from parabook.plan import Plan, make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.publish import publish, staging
from parabook.run import ChapterFailed, run_all, side_by_side
from parabook.server import Server, preload, server, stop_all, work


def chapter(folder: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    """A notebook of code cells, the ids of which are a, b, c."""
    named = zip("abc", sources, strict=False)
    cells = [nbformat.v4.new_code_cell(source, id=name, metadata={"tags": tags}) for name, source in named]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": ""}})
    nbformat.write(notebook, folder / "chapter.ipynb")
    server()
    return folder / "chapter.ipynb"


def run_one(notebook: Path, timeout: int = 900) -> ChapterRun:
    """Run a chapter in a thread, as a build does: this one's event loop may be a browser's, which other tests left open."""
    plan = make_plan(Book(notebook.parent, {}, (notebook,), {"timeout": timeout}), Plugin(), "", {})
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(runner.run_one, plan, notebook).result()


class TestOneChapter:
    def test_many_begin_at_once_before_there_is_a_folder_for_their_sockets(self):
        kernels._runtime.cache_clear()
        with ThreadPoolExecutor(16) as pool:
            made = list(pool.map(lambda _: kernels.Manager(), range(64)))
        assert {Path(each.connection_file).parent.is_dir() for each in made} == {True}

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("import os; os._exit(3)", "chapter chapter: its kernel died"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "chapter chapter: its kernel died"),
            ("import time; time.sleep(600)", "chapter chapter: a cell was not done after 3 seconds"),
            ("while True: pass", "chapter chapter: a cell was not done after 3 seconds"),
            ("1 / 0", "chapter chapter, cell a: ZeroDivisionError: division by zero"),
            ("raise SystemError('one\\ntwo')", "chapter chapter, cell a: SystemError: one"),
            ("1 +", "chapter chapter, cell a: SyntaxError: "),
            ("import sys; sys.exit(0)", "chapter chapter, cell a: SystemExit: 0"),
            ("for _ in range(1000): print('x' * 1_000_000)", "chapter chapter: more than 50,000,000 characters of output"),
        ],
        ids=["exits", "killed", "hangs", "spins", "fails", "fails in lines", "cannot be read", "leaves", "floods"],
    )  # fmt: skip
    def test_one_that_ends_badly_says_so_in_a_line(self, tmp_path: Path, source: str, message: str):
        with pytest.raises(ChapterFailed) as failed:
            run_one(chapter(tmp_path, source), timeout=30 if "print" in source else 3)
        assert str(failed.value).startswith(message)
        assert len(str(failed.value).splitlines()) == 1

    def test_an_error_that_a_cell_is_there_to_show_is_none(self, tmp_path: Path):
        shows = chapter(tmp_path, "1 / 0", tags=("raises-exception",))
        assert "ZeroDivisionError" in run_one(shows).notebook

    def test_what_a_busy_machine_shows_late_is_waited_for(self, tmp_path: Path):
        slow = "get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(5))"
        late = f"import sys, time; sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0; {slow}; display('late')"
        assert "'late'" in run_one(chapter(tmp_path, late)).notebook

    def test_each_has_a_process_of_its_own(self, tmp_path: Path):
        """What one chapter does to modules, the environment and the working folder, the next does not see."""
        dirty = "import os, pandas, sys\npandas.leaked = 1; os.environ['LEAKED'] = '1'; sys.leaked = 1; os.chdir('/')"
        look = "import os, pandas, sys\nprint(hasattr(pandas, 'leaked'), 'LEAKED' in os.environ, hasattr(sys, 'leaked'), os.getcwd())"
        run_one(chapter(tmp_path, dirty))
        seen = json.loads(run_one(chapter(tmp_path, look)).notebook)["cells"][0]["outputs"][0]["text"]
        assert "".join(seen).split() == ["False", "False", "False", str(tmp_path)]

    def test_the_users_profile_is_not_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        startup = tmp_path / "ipython" / "profile_default" / "startup" / "a.py"
        startup.parent.mkdir(parents=True)
        startup.write_text("leaked = 1")
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        monkeypatch.setenv("PYTHONSTARTUP", str(startup))
        done = json.loads(run_one(chapter(tmp_path, "print('leaked' in globals())")).notebook)
        assert "".join(done["cells"][0]["outputs"][0]["text"]) == "False\n"

    def test_pythons_variables_and_the_users_packages_are_not_seen(self, tmp_path: Path, monkeypatch):
        (tmp_path / "colorsys.py").write_text("leaked = 1")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("PYTHONOPTIMIZE", "2")
        own = Server.start(())
        process = own.fork(work)
        process.connection.send((eval, ("__import__('sys').flags[3:8], hasattr(__import__('colorsys'), 'leaked')",)))
        error, (flags, leaked) = process.connection.recv()
        own.stop()
        assert (error, leaked) == (None, False)
        assert flags == (0, 0, 1, 0, 1)  # optimize, …, no_user_site, …, ignore_environment

    def test_what_a_cell_starts_ends_with_its_kernel(self, tmp_path: Path):
        start = "import subprocess\nprint(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
        done = json.loads(run_one(chapter(tmp_path, start)).notebook)
        started = int("".join(done["cells"][0]["outputs"][0]["text"]))
        assert not psutil.pid_exists(started) or psutil.Process(started).status() == psutil.STATUS_ZOMBIE

    def test_no_thread_and_no_open_file_is_left_behind(self, tmp_path: Path):
        def in_use() -> tuple[int, int]:
            return threading.active_count(), len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0

        run_one(chapter(tmp_path, "1"))
        before = in_use()
        for _ in range(3):
            worker = threading.Thread(target=run_one, args=(chapter(tmp_path, "1"),))
            worker.start()
            worker.join()
        assert all(now <= then for now, then in zip(in_use(), before, strict=True))

    def test_kernels_end_with_the_server(self, tmp_path: Path):
        threading.Timer(1, stop_all).start()
        with pytest.raises(ChapterFailed, match="died"):
            run_one(chapter(tmp_path, "while True: pass"))


def test_a_module_that_cannot_be_preloaded_is_reported(capsys: pytest.CaptureFixture[str]):
    """And garbage collection is on all the same."""
    import gc

    threshold = gc.get_threshold()
    try:
        preload(["no_such_module"])
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
    assert capsys.readouterr().err == "preload: no_such_module: ModuleNotFoundError: No module named 'no_such_module'\n"


def test_a_script_without_a_main_guard_builds(tmp_path: Path):
    """Processes that are forked must not run the caller's script again."""
    file = chapter(tmp_path, "1")
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from parabook.book import Book\n"
        "from parabook.plan import make_plan\n"
        "from parabook.plugins import Plugin\n"
        "from parabook.run import run_one\n"
        f"file = Path({str(file)!r})\n"
        "print(run_one(make_plan(Book(file.parent, {}, (file,), {}), Plugin(), '', {}), file).chapter)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "chapter\n", "")


def test_as_many_side_by_side_as_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "input").write_bytes(b"")
    file = tmp_path / "input"
    files = {"sources": {"book": {"input": file}}, "stamps": {file: (1, 100_000_000, 1)}}
    planned = Plan(Book(tmp_path, {}, (), {}), Plugin(), tmp_path, {}, **files)
    monkeypatch.setattr(runner.psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
    available = 6_000_000_000
    assert side_by_side(planned, 8) == 3
    assert side_by_side(replace(planned, sources={"book": {}}), 8) == 8
    available = 1_000_000
    assert side_by_side(planned, 8) == 1


class TestPlainBook:
    """A book of one chapter, without a plug-in."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "plain"
        root.mkdir()
        shutil.move(chapter(tmp_path, "print(open('data.csv').read())"), root / "chapter.ipynb")
        (root / "_toc.yml").write_text("format: jb-book\nroot: chapter\n")
        (root / "data.csv").write_text("a\n1\n")
        return root

    def test_a_file_written_meanwhile_fails_the_build_and_leaves_nothing_in_the_cache(self, root: Path):
        def save() -> None:  # changed and changed back: the hashes would not tell
            (root / "data.csv").write_text("a\n9\n")
            (root / "data.csv").write_text("a\n1\n")

        plan = plan_of(root)
        with pytest.raises(InputError, match=r"plain/data.csv: found a file changed during the build"):
            run_all(plan, ready=save)
        assert not (plan.book.cache / "chapters").exists()

    def test_a_file_added_meanwhile_fails_it_too(self, root: Path):
        (root / "_static").mkdir()
        plan = plan_of(root)
        with pytest.raises(InputError, match=r"pages/_static/new.css: found a file changed during the build"):
            run_all(plan, ready=lambda: (root / "_static" / "new.css").write_text("p {}"))

    def test_a_file_saved_while_charts_are_drawn_fails_it_too(self, root: Path, monkeypatch: pytest.MonkeyPatch):
        """Also where a chapter wrote a file, after which all files are hashed anew."""
        chapter(root, "open('out.csv', 'w').write('1'); print(open('data.csv').read())")
        wait = concurrent.futures.wait

        def saved_meanwhile(*arguments: object) -> object:
            (root / "data.csv").write_text("a\n9\n")
            return wait(*arguments)

        monkeypatch.setattr("concurrent.futures.wait", saved_meanwhile)
        with pytest.raises(InputError, match=r"data.csv: found a file changed during the build"):
            build(plan_of(root), root.parent / "out")
        assert not (root.parent / "out").exists()


def digest(out: Path) -> str:
    return str(json.loads((out / "receipt.json").read_text(encoding="utf-8"))["digest"])


class Saving(Progress):
    """Saves tables, and adds a file, while chapters run."""

    def __init__(self, edition: Path) -> None:
        super().__init__(edition.name)
        self.edition = edition

    def begin(self, chapter: str) -> None:
        if chapter == "summary":
            replace_text(self.edition / "interviewees.csv", "i05,yes", "i05,no")
            (self.edition / "story.md").unlink()
            (self.edition / "later.md").write_text("x")


def test_what_is_saved_during_a_build_is_not_in_its_book_and_that_is_said(
    book: Path, edition: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    named, out = edition.rename(tmp_path / "oral-2022"), tmp_path / "out"
    plan = make_plan(Book.open(ROOT), EditionPlugin(), str(named), {})
    build(plan, out, BuildOptions(force=True), Saving(named))
    assert digest(out) == digest(book)
    said = "saved meanwhile, and not in this book: oral-2022/interviewees.csv, oral-2022/story.md; build again"
    assert said in capfd.readouterr().err
    run("build", named, "--out", out)  # and nothing of it stays in the cache
    assert digest(out) != digest(book)


OUTPUTS = ("html", "notebooks", "tables")


def outputs(base: Path, text: str) -> Path:
    """A folder with some outputs of a build, all of them saying the same."""
    for name in OUTPUTS:
        (base / name).mkdir(parents=True, exist_ok=True)
        (base / name / "file").write_text(text)
    (base / "html" / "SHA256SUMS").write_text(text)
    made = {name: files.hash_files(base / name) for name in OUTPUTS}
    receipt = {"key": text, "digest": made["html"]["SHA256SUMS"], "outputs": made}
    (base / "receipt.json").write_text(json.dumps(receipt))
    return base


def said(base: Path) -> set[str]:
    receipt = json.loads((base / "receipt.json").read_text())
    return {(base / name / "file").read_text() for name in OUTPUTS} | {receipt["key"]}


class TestPublishing:
    @pytest.mark.parametrize("old", [True, False], ids=["over an old book", "first"])
    @pytest.mark.parametrize("system", ["", "libc"], ids=["renameat2", "two renames"])
    def test_all_outputs_take_their_place_together(self, tmp_path: Path, monkeypatch, old: bool, system: str):
        if system:
            monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: None)
        out = outputs(tmp_path / "out", "old") if old else tmp_path / "out"
        with staging(out) as folder:
            publish(outputs(folder, "new"), out)
            assert said(out) == {"new"}
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_what_killed_builds_left_is_tidied(self, tmp_path: Path):
        """A book not ready is never published; and one killed between two renames is undone."""
        out = outputs(tmp_path / "out", "old")
        outputs(tmp_path / ".out.parabook" / "book", "new")  # all there, but the build was killed
        with staging(out) as folder:
            assert list(folder.iterdir()) == []
            assert said(out) == {"old"}
        (tmp_path / ".out.parabook").mkdir()
        out.rename(tmp_path / ".out.parabook" / "book.old")
        with staging(out):
            assert said(out) == {"old"}

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
    def test_a_staging_folder_laid_out_by_somebody_else_is_not_used(self, tmp_path: Path):
        """In a folder where all may write: what is in it could be taken for the book of a killed build."""
        laid = tmp_path / ".out.parabook"
        (laid / "book.old").mkdir(parents=True)
        os.chown(laid, 12345, 12345)
        with pytest.raises(InputError, match="found a folder of somebody else's"), staging(tmp_path / "out"):
            pass
        assert (laid / "book.old").is_dir()

    def test_files_that_others_laid_beside_the_outputs_stay(self, tmp_path: Path):
        out = outputs(tmp_path / "out", "old")
        for name in ("review.html", "book.pdf"):
            (out / name).write_text("x")
        with staging(out) as folder:
            publish(outputs(folder, "new"), out)
        # But not the book on paper, of the old pages.
        assert {path.name for path in out.iterdir()} == {*OUTPUTS, "receipt.json", "review.html"}

    @pytest.mark.parametrize("name", ["notebooks", ".git", "receipt.json"])
    def test_what_no_build_made_is_left_alone(self, tmp_path: Path, name: str):
        (tmp_path / name).mkdir() if name != "receipt.json" else None
        (tmp_path / "receipt.json").write_text('{"digest": "a stranger\'s", "key": "x", "outputs": {"html": {}}}')
        before = {path.name for path in tmp_path.iterdir()}
        done = run("build", "--out", tmp_path, code=2)
        assert "which no build made" in done.stderr
        assert {path.name for path in tmp_path.iterdir()} == before

    def test_a_target_that_cannot_be_written_is_named(self, edition: Path, tmp_path: Path):
        closed, loop = tmp_path / "file", tmp_path / "loop"
        closed.write_text("")
        loop.symlink_to(loop)
        for out in (closed, closed / "out", loop, edition / "out"):
            done = run("build", edition, "--out", out, code=2)
            assert len(done.stderr.splitlines()) == 1
            assert str(out) in done.stderr
        assert closed.read_text() == ""


def whole(out: Path) -> bool:
    """Whether every output is that of the receipt in place."""
    receipt = json.loads((out / "receipt.json").read_text(encoding="utf-8"))
    return all(files.hash_files(out / name) == hashes for name, hashes in receipt["outputs"].items())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of two notebooks, built into its folder ``out``."""
    root = made(tmp_path_factory.mktemp("small") / "book", work="print('done')", long="import time; time.sleep(2)")
    build(plan_of(root), root.parent / "out")
    return root


@pytest.fixture
def touched(small: Path, tmp_path: Path) -> Path:
    """A copy of what was built, in which there is something to do."""
    out = Path(shutil.copytree(small.parent / "out", tmp_path / "books" / "out"))
    (out / "html" / "work.html").write_text("touched")
    return out


def started(book: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "parabook.cli", "build", str(book), "--out", str(out), *more]
    return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_build_ended_at_any_moment_leaves_the_book_whole(small: Path, touched: Path, number: signal.Signals):
    building = started(small, touched)
    time.sleep(random.Random(int(number)).uniform(0.1, 2.5))
    building.send_signal(number)
    _, errors = building.communicate(timeout=60)
    assert "Traceback" not in errors
    if building.returncode == 130:
        assert [path.name for path in touched.parent.iterdir()] == ["out"]
    build(plan_of(small), touched)
    assert whole(touched)
    assert (touched / "html" / "work.html").read_text(encoding="utf-8") != "touched"
    assert [path.name for path in touched.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "step, more",
    [(" s\n", ["--force"]), (": assembling\n", [])],
    ids=["while chapters run", "while it is assembled, of chapters run before"],
)
def test_an_interrupted_build_cleans_up(step: str, more: list[str], small: Path, tmp_path: Path):
    building = started(small, tmp_path / "out", *more)
    assert building.stderr
    while not building.stderr.readline().endswith(step):
        assert building.poll() is None
    building.send_signal(signal.SIGTERM)
    _, errors = building.communicate(timeout=20)
    assert building.returncode == 130
    assert errors.splitlines()[-1] == "interrupted; nothing was published"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_book(book: Path, tmp_path: Path):
    """On a file system of 5 MB, where the old book fits and a second does not."""
    small = tmp_path / "small"
    small.mkdir()
    call = ["mount", "-t", "tmpfs", "-o", "size=5m", "none", str(small)]
    if subprocess.run(call, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        out = Path(shutil.copytree(book, small / "out"))
        (out / "html" / "routes.html").write_text("touched")
        before = files.hash_files(out)
        assert run("build", "--out", out, code=None).returncode in (1, 2)
        assert files.hash_files(out) == before
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_second_build_waits_for_the_first(small: Path, touched: Path):
    with staging(touched):
        second = started(small, touched)
        assert second.stderr is not None
        assert second.stderr.readline() == f"waiting for another build of {touched} to end\n"
        assert (touched / "html" / "work.html").read_text() == "touched"
    second.communicate(timeout=120)
    assert second.returncode == 0
    assert whole(touched)


def test_no_variable_of_the_environment_keeps_an_edition_from_being_checked(edition: Path, tmp_path: Path, monkeypatch):
    """That a preview checks beside its cells is for it alone to say."""
    for name in ("story.md", "evidence.csv", "settlements.csv"):
        (edition / name).unlink()
    with edit_json(edition / "datapackage.json") as package:
        names = ("evidence", "settlements")
        package["resources"] = [each for each in package["resources"] if each["name"] not in names]
    replace_text(edition / "legs.csv", "i05,1,made,moscow", "i05,1,made,nowhere")
    monkeypatch.setenv("PARABOOK_CHECKED_BESIDE", "1")
    done = run("build", edition, "--out", tmp_path / "out", code=2)
    assert "nowhere" in done.stderr
    assert not (tmp_path / "out").exists()
