"""Chapters on a real Dask cluster: a scheduler and two workers, processes on this machine. Editions read through fsspec."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from conftest import ANALYSIS, ROOT, run
from distributed import Client
from test_faults import chapter

from analysis import folder, spread
from analysis.book import cluster, server
from analysis.book.build import build
from analysis.book.plan import plan
from analysis.book.run import ChapterFailed
from analysis.edition import embed, examine
from analysis.faults import BadInput

DASK = [sys.executable, "-m", "dask"]
SOON = 60


def until(what: Callable[[], Any]) -> Any:
    """What is asked for, as soon as it is there."""
    for _ in range(SOON * 20):
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with two workers: one that may fork its kernels, one that may not."""
    base = tmp_path_factory.mktemp("cluster")
    told = base / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": base, "start_new_session": True}
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    started = [subprocess.Popen([*DASK, "scheduler", *common, "--host", "127.0.0.1", "--port", "0"], **quiet)]
    try:
        until(told.is_file)
        for daemon in ("True", "False"):
            call = [*DASK, "worker", *common, "--nthreads", "1", "--local-directory", str(base), "--name", daemon]
            started.append(
                subprocess.Popen(call, env={**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": daemon}, **quiet)
            )
        where = json.loads(told.read_text(encoding="utf-8"))["address"]
        with Client(where) as client:
            client.wait_for_workers(2, timeout=SOON)
        yield where
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def on_cluster(address: str) -> Iterator[cluster.Cluster]:
    with cluster.connected(address) as found:
        yield found


def digest(out: Path) -> str:
    return json.loads((out / "receipt.json").read_text(encoding="utf-8"))["digest"]


def test_a_worker_killed_in_mid_run_changes_nothing_of_the_book(address: str, book: Path, tmp_path: Path):
    call = [*ANALYSIS, "build", "--force", "--scheduler", address, "--out", str(tmp_path / "out")]
    with Client(address) as client, subprocess.Popen(call, cwd=ROOT, stderr=subprocess.PIPE, text=True) as building:
        workers = client.run(os.getpid)
        busy = until(lambda: [worker for worker, tasks in client.processing().items() if tasks])
        os.kill(workers[busy[0]], signal.SIGKILL)
        _, said = building.communicate(timeout=SOON * 3)
        until(lambda: len(client.nthreads()) == 2)  # the nanny has started another
        assert client.run(os.getpid) != workers
    assert building.returncode == 0, said
    assert said.splitlines()[-1] == "oral-2022: assembling"
    assert digest(tmp_path / "out") == digest(book)


def test_several_editions_and_a_failing_one(address: str, edition: Path, tmp_path: Path):
    (edition / "legs.csv").unlink()
    done = run("build", edition, "oral-2022", "--scheduler", address, "--out", tmp_path / "out", code=1)
    assert done.stdout.splitlines()[0] == "1 of 2 editions built"
    assert "copy: not built: " in done.stderr


def test_a_failing_chapter_is_told_in_its_line_and_not_tried_again(on_cluster: cluster.Cluster, tmp_path: Path):
    tries = tmp_path / "tries"
    failing = chapter(tmp_path, f"open({str(tries)!r}, 'a').write('once ')\n1 / 0")
    with pytest.raises(ChapterFailed) as failed:
        on_cluster.running(plan("oral-2022", {}))(failing, {}, tmp_path, SOON)
    assert str(failed.value) == "chapter chapter, cell a: ZeroDivisionError: division by zero"
    assert tries.read_text() == "once "


def test_a_worker_with_another_version_refuses(on_cluster: cluster.Cluster, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(cluster, "version", lambda: "another")
    with pytest.raises(BadInput, match=r"^worker tcp://\S+: found another version of the program, .*start it again$"):
        on_cluster.running(plan("oral-2022", {}))(chapter(tmp_path, "1"), {}, tmp_path, SOON)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_large_edition_is_read_where_the_worker_is(
    on_cluster: cluster.Cluster, edition: Path, tmp_path: Path, monkeypatch, scheme: str
):
    monkeypatch.setattr(spread, "MOST_SENT", 0)
    planned = plan(f"{scheme}{edition}", {})
    one = on_cluster.running(planned)
    look = chapter(tmp_path, "from analysis.edition import load\nprint(load('copy').report.declared_interviewees)")
    assert "17" in json.dumps(json.loads(one(look, {}, tmp_path, SOON).notebook)["cells"][-1]["outputs"])
    (edition / "codebook.md").write_text("changed meanwhile", encoding="utf-8")
    with pytest.raises(BadInput, match=rf"found another edition at {scheme}/\S+copy, needed the same, byte for byte"):
        one(look, {}, tmp_path, SOON)
    (edition / "datapackage.json").unlink()
    with pytest.raises(
        BadInput, match=rf"found no edition at {scheme}/\S+copy, needed it where the worker can read it"
    ):
        one(look, {}, tmp_path, SOON)


MANY = 1_200_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition whose table is large enough to be counted on the workers: a folder of parts, the last row at fault."""
    folder = tmp_path_factory.mktemp("large") / "edition"
    (folder / "people").mkdir(parents=True)
    for part, rows in enumerate((f"range({MANY - 10})", f"range({MANY - 10}, {MANY})")):
        duckdb.sql(
            "COPY (SELECT 'p' || md5(i::VARCHAR)[:8] || i AS interviewee, 'yes' AS counted, 18 + i % 50 AS age_min, 18 + i % 50 AS age_max, "
            "'man' AS gender, NULL AS profession, NULL AS isco08 "
            f"FROM {rows} AS t(i)) TO '{folder}/people/{part}.parquet' (FORMAT parquet)"
        )
    package = {
        "title": "t",
        "description": "d",
        "report": {"public_source": True},
        "resources": [{"name": "interviewees", "path": "people"}],
    }
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert sum(file.stat().st_size for file in folder.rglob("*.parquet")) > spread.MOST_SENT
    return folder


ASK = """
from analysis import spread, tabulate
from analysis.edition import load
people = load({name!r}).tables["interviewees"]
asked = []
ask = spread.Workers.ask
spread.Workers.ask = lambda self, *a: asked.append(len(a[2])) or ask(self, *a)
counts = tabulate.by_age(people, age_bands="30", declared=None)
print(counts.frame.values.tolist(), asked)
"""


def test_chapters_that_fill_every_thread_still_get_their_counts(
    on_cluster: cluster.Cluster, large: Path, tmp_path: Path
):
    """Each worker has one thread, which its chapter would hold while it waits for counts that need it."""
    one = on_cluster.running(plan(large, {}))
    look = chapter(tmp_path, ASK.format(name=large.name))
    with ThreadPoolExecutor(2) as side_by_side:
        ran = list(side_by_side.map(lambda _: one(look, {}, tmp_path, SOON), range(2)))
    share = MANY * 12 // 50
    for each in ran:
        (output,) = json.loads(each.notebook)["cells"][-1]["outputs"]
        assert "".join(output["text"]) == f"[['under 30', {share}], ['30 and over', {MANY - share}]] [3]\n"


def test_checks_of_a_large_table_run_on_the_workers(address: str, large: Path, tmp_path: Path):
    broken = Path(shutil.copytree(large, tmp_path / "broken"))
    part = broken / "people" / "1.parquet"
    duckdb.sql(
        f"COPY (SELECT * EXCLUDE (i) REPLACE (if(i = 7, 'ja', counted) AS counted) FROM (SELECT *, file_row_number AS i "
        f"FROM read_parquet('{part}', file_row_number = true))) TO '{part}.new' (FORMAT parquet)"
    )
    os.replace(f"{part}.new", part)
    for command in (["check", broken], ["build", broken, "--out", tmp_path / "out"]):
        before = answered(address)
        here, there = run(*command, code=2), run(*command, "--scheduler", address, code=2)
        assert "people/1.parquet, row 9, column counted: found 'ja', needed one of yes" in here.stderr
        assert (here.stdout, here.stderr) == (there.stdout, there.stderr)
        assert answered(address) > before


def answered(address: str) -> int:
    """How many questions the workers have answered so far."""
    with Client(address) as client:
        done = lambda dask_scheduler: sum(  # noqa: E731, a lambda travels whole
            prefix.state_counts["forgotten"]
            for name, prefix in dask_scheduler.task_prefixes.items()
            if name == "answer"
        )
        return int(client.run_on_scheduler(done))


def test_kernels_are_forked_where_the_worker_may(on_cluster: cluster.Cluster):
    workers = on_cluster.client.scheduler_info()["workers"]
    names = {found["name"]: worker for worker, found in workers.items()}
    may = {name: on_cluster.client.run(server.can_fork, workers=[worker])[worker] for name, worker in names.items()}
    assert may == {"True": False, "False": server.FORKS}
    assert on_cluster.jobs == 2


@pytest.mark.skipif(sys.version_info >= (3, 11, 9), reason="this Python needs no such care")
def test_no_profiler_runs_where_it_can_halt_a_worker_for_good(on_cluster: cluster.Cluster, tmp_path: Path):
    """python/cpython#106883, mended in 3.11.9."""
    on_cluster.running(plan("oral-2022", {}))(chapter(tmp_path, "1"), {}, tmp_path, SOON)
    runs = lambda dask_worker: dask_worker.periodic_callbacks["profile"].is_running()  # noqa: E731, a lambda travels whole
    until(lambda: not all(on_cluster.client.run(runs).values()))


def test_nothing_at_the_address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spread, "ANSWER", 0.5)
    for wrong in ("tcp://127.0.0.1:1", "nonsense", "foo://127.0.0.1:8786"):
        with (
            pytest.raises(
                BadInput, match=f"^--scheduler {wrong}: found nothing that answers, needed .*dask scheduler$"
            ),
            cluster.connected(wrong),
        ):
            pass


def test_without_the_option_nothing_of_it_is_imported(book: Path, tmp_path: Path):
    look = "import sys; from analysis.cli import main; code = main(['build', '--out', sys.argv[1]]); " + (
        "sys.exit(code or str(sorted({'dask', 'distributed', 'fsspec'} & {name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", look, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "[]"
    assert digest(tmp_path) == digest(book)


@pytest.fixture
def store() -> Iterator[fsspec.AbstractFileSystem]:
    """The first edition in fsspec's own memory."""
    memory = fsspec.filesystem("memory")
    for name in folder.contents(ROOT / "data" / "oral-2022"):
        memory.pipe_file(f"/shelf/oral-2022/{name}", (ROOT / "data" / "oral-2022" / name).read_bytes())
    yield memory
    memory.rm("/shelf", recursive=True)


def test_an_edition_at_an_address_makes_the_same_book(store, book: Path, tmp_path: Path):
    build("memory://shelf/oral-2022/", {}, tmp_path / "out")
    assert digest(tmp_path / "out") == digest(book)


def test_an_edition_at_an_address_is_fetched_again_when_it_changed(store, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folder, "CACHE", tmp_path / "cache")
    first = folder.find("memory://shelf/oral-2022")
    assert folder.contents(first) == folder.contents(ROOT / "data" / "oral-2022")
    assert folder.find("memory://shelf/oral-2022/") == first
    store.pipe_file("/shelf/oral-2022/legs.csv", b"interviewee\n")
    second = folder.find("memory://shelf/oral-2022")
    assert second != first
    assert (second / "legs.csv").read_bytes() == b"interviewee\n"
    store.rm("/shelf/oral-2022/codebook.md")
    assert not (folder.find("memory://shelf/oral-2022") / "codebook.md").exists()


def test_a_fault_is_shown_where_it_can_be_mended(store, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folder, "CACHE", tmp_path / "cache")
    store.pipe_file("/shelf/oral-2022/legs.csv", b"interviewee\n")
    _, faults = examine("memory://shelf/oral-2022")
    assert {fault.file for fault in faults} == {"memory://shelf/oral-2022/legs.csv"}
    fetched = folder.find("memory://shelf/oral-2022")
    with pytest.raises(BadInput, match=r"^memory://shelf/oral-2022: found an address, needed a folder on this machine"):
        embed(fetched)
    monkeypatch.chdir(fetched.parent)  # where chapters run
    _, faults = examine("oral-2022")
    assert {fault.file for fault in faults} == {"oral-2022/legs.csv"}


def test_a_table_in_parts_and_a_path_that_leads_out(store, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folder, "CACHE", tmp_path / "cache")
    listed = {"resources": [{"path": "parts/"}, {"path": "../secret"}, {"path": "/shelf/secret"}]}
    store.pipe_file("/shelf/odd/datapackage.json", json.dumps(listed).encode())
    for name in ("odd/parts/1.parquet", "odd/parts/deep/2.parquet", "secret"):
        store.pipe_file(f"/shelf/{name}", b"x")
    assert folder.contents(folder.find("memory://shelf/odd")).keys() == {
        "datapackage.json",
        "parts/1.parquet",
        "parts/deep/2.parquet",
    }


@pytest.mark.parametrize(
    "wrong, said",
    [
        ("memory://shelf/none", "found no datapackage.json, needed an edition's folder; mend the address"),
        ("memory://", "found no folder's name"),
        ("nix://shelf/x", "found Protocol not known: nix"),
    ],
)
def test_what_cannot_be_fetched_is_told_in_one_line(store, wrong: str, said: str):
    with pytest.raises(BadInput) as refused:
        folder.find(wrong)
    assert str(refused.value).startswith(f"{wrong}: {said}")
    assert len(refused.value.faults) == 1


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(
        BadInput, match=r"^s3://shelf/x: found no driver for such addresses, needed an installed one; Install s3fs"
    ):
        folder.find("s3://shelf/x")
