"""Questions to tables of many rows, spread over the workers of a Dask cluster; only counts and rows at problem come back.

Tabulations, loaders and checks ask through `gathered`, and know nothing of where the answer is found. On pandas and DuckDB
it is the table itself that answers. With ``--scheduler``, and a table large enough to pay, the very expression that DuckDB
would run here travels as its SQL to the workers. There each table of the edition is a view of the same name, but over a share
of the rows; the answers to the shares are put together as whoever asked says.

Not a Dask data frame, which narwhals could count on as well: pandas would find the rows, at a quarter of the speed (ten
million rows, two workers), with other regular expressions than DuckDB's, rows of a join shuffled between workers, and
pyarrow needed, whose mere presence changes how pandas holds the text of every other edition. Here all tables are read by
one engine, cell by cell as strictly, and a share is all that a worker holds.

Nothing of Dask is imported until there is something to spread.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import fetch, folder
from analysis.frames import Frame
from parabook import files
from parabook.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client, Future

SCHEDULER = "ANALYSIS_SCHEDULER"
"""The variable that tells where the scheduler is: the kernel of a chapter on a worker, or the process that checks for a build."""

LARGE = 1_000_000
"""Rows from which a question is spread: of fewer, DuckDB here has counted before a task is on its way."""

MOST_SENT = 4_000_000
"""Bytes of an edition up to which its files travel with each chapter; what travels lies nowhere that all workers can read."""

SHARE = 8 * 122_880
"""Rows of a share: a whole number of DuckDB's groups of rows, as no group is read by halves."""

MOST_HELD = 20_000_000
"""Rows whose keys a worker may hold at once."""

CHECKING, COUNTING = "600MB", "450MB"
"""What DuckDB may hold in a check, which looks at every key, and in a chapter, which counts."""

END = 65_536
"""Bytes at the end of a Parquet file that tell it from another: they say of every column of every group of rows how long it is."""

ANSWER = 10.0
"""Seconds within which a scheduler answers."""

ALONE = 60.0
"""Seconds that a cluster may be without any worker; one that is started again takes some."""

LOOK = 5.0
"""Seconds after which one who waits looks whether there are workers."""

AGAIN = 2
"""How often a task is tried again that broke for other reasons than its own."""

PERSON = "interviewee"
"""The column by which tables of people belong together."""

Asked = list[dict[str, Any]]
"""The rows of an answer."""

Merge = Callable[[Asked], Asked]
"""Makes of the answers to all shares, one below the other, the answer to the whole."""


@dataclass(frozen=True)
class Scan:
    """A Parquet table: its parts in order, how many rows each has, and what to select of them."""

    files: tuple[str, ...]
    rows: tuple[int, ...]
    picked: str = "*"
    """SQL, of the columns as stored and ``_row``."""

    def sql(self, files: Sequence[str] = (), kept: str = "") -> str:
        """The table as DuckDB reads it, with the row of the table as ``_row``.

        All parts are named also where one is meant, as the first decides the columns of all.

        Parameters
        ----------
        files : sequence of str
            Where the parts lie, if elsewhere.
        kept : str
            A condition on ``filename`` and ``file_row_number``.
        """
        files = files or self.files
        first = ", ".join(
            f"{text(name)}: {rows + 2}"
            for name, rows in zip(files, accumulate(self.rows, initial=0), strict=False)
        )  # fmt: skip
        names = ", ".join(map(pattern, files))
        parts = f"SELECT * FROM read_parquet([{names}], file_row_number = true, filename = true)"
        rows = (
            f"SELECT * EXCLUDE (filename, file_row_number), file_row_number + MAP {{{first}}}[filename] AS _row "
            f"FROM ({parts}{kept and f' WHERE {kept}'})"
        )
        return rows if self.picked == "*" else f"SELECT {self.picked} FROM ({rows})"


@dataclass(frozen=True)
class Held:
    """A table that came as CSV, as DuckDB sees it: few rows, which travel with the question."""

    frame: pd.DataFrame
    picked: str


@dataclass(frozen=True)
class Known:
    """A table that workers can be asked about."""

    table: Scan | Held
    columns: frozenset[str]


KNOWN: dict[str, Known] = {}
"""The tables that have a name in DuckDB, by that name."""


def text(value: str) -> str:
    """A text as SQL spells it.

    Examples
    --------
    >>> text("o'clock")
    "'o''clock'"
    """
    return "'" + value.replace("'", "''") + "'"


def pattern(path: str) -> str:
    """A path as DuckDB's SQL names files: signs that would make it a pattern stand for themselves.

    Examples
    --------
    >>> pattern("a[1].parquet")
    "'a[[]1].parquet'"
    """
    return text(re.sub(r"[*?\[]", r"[\g<0>]", path))


@cache
def bounded(most: str) -> None:
    """Bound the memory of DuckDB in this process: beyond it, it works on disk."""
    import duckdb

    desk = folder.CACHE / "duckdb"
    with contextlib.suppress(OSError):
        desk.mkdir(parents=True, exist_ok=True)
    files.prune(desk, 64)  # what ended kernels left
    duckdb.execute(f"SET memory_limit = '{most}'")
    duckdb.execute(f"SET temp_directory = {text(str(desk / str(os.getpid())))}")


def let_go() -> None:
    """Give back what DuckDB holds in this process, where it was asked for anything; tables it had are gone."""
    if "duckdb" in sys.modules:
        import duckdb

        duckdb.default_connection().close()
        KNOWN.clear()
        bounded.cache_clear()


def relation(table: Scan | Held) -> Any:
    """A table in DuckDB; where workers might be asked about it, under a name that they can give it too."""
    import duckdb

    if not possible():
        if isinstance(table, Scan):
            return duckdb.sql(table.sql())
        return duckdb.from_df(table.frame).project(table.picked)  # type: ignore[arg-type, unused-ignore]
    name = f"analysis_{uuid.uuid4().hex}"
    _view(duckdb, name, table, table.sql() if isinstance(table, Scan) else "")
    found: Any = duckdb.sql(f'SELECT * FROM "{name}"')
    KNOWN[name] = Known(table, frozenset(found.columns))
    return found


def _view(duckdb: Any, name: str, table: Scan | Held, sql: str) -> None:
    """Give a table its name, in a connection or in DuckDB's own."""
    if isinstance(table, Held):
        duckdb.register(f"{name}_rows", table.frame)
        sql = f'SELECT {table.picked} FROM "{name}_rows"'
    duckdb.execute(f'CREATE TEMP VIEW "{name}" AS {sql}')


def every(rows: Asked) -> Asked:
    """All rows of all shares."""
    return rows


def summed(*by: str) -> Merge:
    """Rows alike in some columns become one, with the sums of the others; without columns there is one row.

    Examples
    --------
    >>> summed("mode")([{"mode": "air", "n": 2}, {"mode": None, "n": 1}, {"mode": "air", "n": 3}])
    [{'mode': 'air', 'n': 5}, {'mode': None, 'n': 1}]
    """

    def merge(rows: Asked) -> Asked:
        sums: dict[tuple[object, ...], dict[str, Any]] = {}
        for row in rows:
            whole = sums.setdefault(tuple(row[name] for name in by), dict.fromkeys(row, 0) | {n: row[n] for n in by})
            whole.update({name: whole[name] + (row[name] or 0) for name in row if name not in by})
        return list(sums.values())

    return merge


def first(most: int) -> Merge:
    """The first rows of the table, in its order.

    Examples
    --------
    >>> first(2)([{"_row": 7}, {"_row": 3}, {"_row": 5}])
    [{'_row': 3}, {'_row': 5}]
    """
    return lambda rows: sorted(rows, key=lambda row: int(row["_row"]))[:most]


def greatest(rows: Asked) -> Asked:
    """The greatest value of each column.

    Examples
    --------
    >>> greatest([{"leg": 2}, {"leg": None}, {"leg": 4}])
    [{'leg': 4}]
    """
    told = {name: [row[name] for row in rows if row[name] is not None] for name in rows[0]}
    return [{name: max(values, default=None) for name, values in told.items()}]


def gathered(frame: Frame, merge: Merge = every, *, by: Collection[str] = ()) -> Asked:
    """The rows that a lazy frame comes to.

    Parameters
    ----------
    frame : LazyFrame
        What is asked. It must come to the same when it is asked of shares of the rows and merged. A share has some rows of
        the one large table in it; where two tables of people are joined, all rows of some people.
    merge : callable
        `every`, `summed`, `first` or `greatest`.
    by : collection of str
        Columns in which rows must be alike to have anything to do with each other, where that is not the person: a share
        has all rows that are alike there.

    Examples
    --------
    >>> import narwhals as nw, pandas as pd
    >>> gathered(nw.from_native(pd.DataFrame({"n": [1, 2]})).lazy().select(nw.col("n").sum()), summed())
    [{'n': 3}]
    """
    if possible() and frame.implementation.is_duckdb():
        native: Any = frame.to_native()
        sql = native.sql_query()
        workers = pool() if _pays(sql) else None
        views = _spread(sql, by, workers.threads()) if workers else []
        told = workers.ask(sql, list(native.columns), views) if workers and views else None
        if told is not None:
            return merge(told)
    return list(frame.collect("pandas").rows(named=True))


def _seen(sql: str) -> dict[str, Known]:
    return {name: known for name, known in KNOWN.items() if name in sql}


def _rows(sql: str) -> int:
    return sum(sum(known.table.rows) for known in _seen(sql).values() if isinstance(known.table, Scan))


def _pays(sql: str) -> bool:
    """Whether a question looks at enough to be spread."""
    scans = [known.table for known in _seen(sql).values() if isinstance(known.table, Scan)]
    bytes_ = sum(Path(file).stat().st_size for scan in scans for file in scan.files)
    return _rows(sql) >= LARGE and bytes_ > MOST_SENT


def _spread(sql: str, by: Collection[str], threads: int) -> list[list[dict[str, Any]]]:
    """For each share the views that it is asked of; none where the question cannot be shared out."""
    seen = _seen(sql)
    alike = set(by) or {PERSON}
    parted = {name for name, known in seen.items() if alike <= known.columns}
    if not parted and not by and len(seen) == 1:
        parted = set(seen)
    if not parted:
        return []
    if by or len(parted) > 1:
        number = max(threads, math.ceil(_rows(sql) / MOST_HELD))
        key = ", ".join(f'"{name}"' for name in sorted(alike))
        cuts = [{"alike": f"hash({key}) % {number} = {share}"} for share in range(number)]
    else:
        only = seen[next(iter(parted))].table
        cuts = list(shares(only.rows)) if isinstance(only, Scan) else []
    whole = {name: _told(name, known.table) for name, known in seen.items()}
    return [[each | (cut if name in parted else {}) for name, each in whole.items()] for cut in cuts]


def shares(rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """A table's rows in shares: the numbers of its parts, and of a part that is more than a share from and to which row.

    Examples
    --------
    >>> [share["parts"] for share in shares([10, 20, SHARE - 10, 5])]
    [[0, 1], [2, 3]]
    >>> [share["within"] for share in shares([2 * SHARE + 1])] == [[0, SHARE], [SHARE, 2 * SHARE], [2 * SHARE, 3 * SHARE]]
    True
    """
    together: list[int] = []
    for part, many in enumerate(rows):
        if many > SHARE:
            for start in range(0, many, SHARE):
                yield {"parts": [part], "within": [start, start + SHARE]}
            continue
        if sum(rows[each] for each in together) + many > SHARE:
            yield {"parts": together}
            together = []
        together.append(part)
    if together:
        yield {"parts": together}


def _told(name: str, table: Scan | Held) -> dict[str, Any]:
    """A table as a task carries it, in plain values."""
    if isinstance(table, Held):
        return {"name": name, "frame": table.frame, "picked": table.picked}
    home = fetch.home(Path(table.files[0]))
    inside = [Path(file).relative_to(home).as_posix() if home else file for file in table.files]
    return {
        "name": name,
        "at": fetch.origin(home) if home else "",
        "files": inside,
        "rows": table.rows,
        "picked": table.picked,
        "ends": [_end(Path(file)) for file in table.files],
    }


def _end(file: Path) -> str:
    """What tells a Parquet file from another, without reading it."""
    stat = file.stat()
    return _end_of(file, stat.st_size, stat.st_mtime_ns)


@cache
def _end_of(file: Path, size: int, changed: int) -> str:
    with file.open("rb") as opened:
        opened.seek(max(0, size - END))
        return f"{size} {hashlib.sha256(opened.read()).hexdigest()}"


@dataclass
class Workers:
    """A cluster that answers."""

    address: str
    client: Client
    alone: float | None = field(default=None, kw_only=True)
    """Since when no worker was seen, if none was."""

    def threads(self) -> int:
        """How many tasks the workers run side by side."""
        return max(1, int(sum(self.client.nthreads().values())))

    def ask(self, sql: str, columns: Sequence[str], views: Sequence[list[dict[str, Any]]]) -> Asked | None:
        """The rows of all shares; none where DuckDB failed at one, as of a broken file: asked here, it says so of the whole.

        Raises
        ------
        InputError
            When the workers cannot read the tables, or are gone.
        """
        from distributed import CancelledError, KilledWorker

        # Before chapters that wait: a chapter that asks has stepped aside for the answer.
        call = {"retries": AGAIN, "pure": False, "priority": 10}
        futures = [self.client.submit(answer, sql, share, program(), **call) for share in views]
        try:
            self.wait(futures)
            told = [future.result() for future in futures]
        except KilledWorker as error:
            needed = "workers with the memory for a share of the rows"
            raise InputError.one(self.address, "a question lost with each worker that took it", needed) from error
        except CancelledError as error:
            raise self.gone() from error
        except RuntimeError as error:  # a worker that knows no such question
            said = " ".join(str(error).split())[:80]
            needed = "workers with this version of the program"
            raise InputError.one(self.address, said, needed, "bring them up to date, and start them again") from error
        finally:
            for future in futures:
                future.release()
        rows: Asked = []
        for share in told:
            if "refused" in share:
                raise InputError(Problem(**problem) for problem in share["refused"])
            if "broken" in share:
                return None
            rows += [dict(zip(columns, row, strict=True)) for row in share["rows"]]
        return rows

    def wait(self, futures: Sequence[Future[Any]]) -> None:
        """Wait for tasks, as long as there are workers."""
        from distributed import CancelledError, wait

        while True:
            try:
                wait(futures, timeout=LOOK)
                return
            except TimeoutError:
                pass
            except (CancelledError, OSError) as error:
                raise self.gone() from error
            try:
                workers = self.client.nthreads()
            except (CancelledError, OSError) as error:
                raise self.gone() from error
            now = time.monotonic()
            self.alone = None if workers else self.alone or now
            if self.alone and now - self.alone > ALONE:
                hint = "start some, and build again: chapters that were done are kept"
                raise InputError.one(self.address, "no worker left", "one at least", hint)

    def gone(self) -> InputError:
        """That the scheduler does not answer any more."""
        hint = "start it, and build again: chapters that were done are kept"
        return InputError.one(self.address, "a scheduler that is gone", "one that stays", hint)


IN_USE: list[Workers] = []
"""The cluster that this process asks, the last one first."""


def possible() -> bool:
    """Whether a cluster can be asked: in a build or check with ``--scheduler``, and in the kernels of its chapters."""
    return bool(IN_USE or os.environ.get(SCHEDULER))


def pool() -> Workers | None:
    """The cluster; a process that was told of one connects when it first has something to ask, and counts by itself where it cannot."""
    if not IN_USE:
        address = os.environ.pop(SCHEDULER)  # tried once
        with contextlib.suppress(InputError):
            IN_USE.append(Workers(address, connect(address)))
    return IN_USE[-1] if IN_USE else None


def connect(address: str) -> Client:
    """A connection to a scheduler that has workers.

    Raises
    ------
    InputError
        When Dask is not installed, nothing answers, or there are no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        hint = "pip install 'analysis[cluster]'"
        raise InputError.one("--scheduler", "no package distributed", "it, to reach a Dask cluster", hint) from error
    for name in [each for each in logging.root.manager.loggerDict if each.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is told in a line of our own
    try:
        client = Client(address, timeout=ANSWER)
    except (OSError, ValueError, TypeError) as error:
        hint = "start one with: dask scheduler"
        raise InputError.one(
            f"--scheduler {address}", "nothing that answers", "a Dask scheduler, as tcp://HOST:PORT", hint
        ) from error
    try:
        client.wait_for_workers(1, timeout=ANSWER)
    except BaseException as error:
        client.close(timeout=ANSWER)
        if not isinstance(error, TimeoutError):
            raise
        hint = f"start one with: dask worker {address}"
        raise InputError.one(f"--scheduler {address}", "no workers", "one at least", hint) from error
    return client


@cache
def program() -> str:
    """The fingerprint of what makes a question, and of what answers it."""
    import duckdb

    return files.digest([folder.program(), duckdb.__version__])


def answer(sql: str, views: Sequence[Mapping[str, Any]], asked_by: str) -> dict[str, Any]:
    """Answer a question about a share: the task, on a worker. Takes and returns plain values.

    Returns
    -------
    dict
        ``rows``; or ``broken``, what DuckDB said; or ``refused``, the problems for which it was not asked.
    """
    import duckdb
    from distributed import get_worker

    worker = get_worker()
    try:
        if asked_by != program():
            raise another_version(worker.address)
        held = worker.memory_manager.memory_limit
        with _database(worker.local_directory, worker.state.nthreads, held).cursor() as connection:
            for view in views:
                _share(connection, view, worker.address)
            return {"rows": connection.sql(sql).fetchall()}
    except duckdb.Error as error:
        return {"broken": str(error)}
    except InputError as error:
        return {"refused": [problem.as_dict() for problem in error.problems]}


@cache
def _database(folder: str, threads: int, held: int | None) -> Any:
    """A worker's DuckDB, with no more threads than the worker; it keeps what the ends of Parquet files say.

    It begins to use the disk below the memory at which Dask would pause or end the worker.
    """
    import duckdb

    config: dict[str, Any] = {"threads": threads, "temp_directory": f"{folder}/duckdb"}
    made = duckdb.connect(config=config | ({"memory_limit": f"{int(held * 0.6)}B"} if held else {}))
    made.execute("SET parquet_metadata_cache = true")
    return made


def _share(connection: Any, view: Mapping[str, Any], worker: str) -> None:
    """Make the view of a share, of the rows that it holds, under the name by which the question knows it."""
    name, alike = view["name"], view.get("alike")
    inner = f"{name}_all" if alike else name
    if "frame" in view:
        _view(connection, inner, Held(view["frame"], view["picked"]), "")
    else:
        files = _at_hand(view, worker)
        scan = Scan(tuple(files), tuple(view["rows"]), view["picked"])
        kept = []
        if "parts" in view:
            kept.append(f"filename IN ({', '.join(text(files[part]) for part in view['parts'])})")
        if "within" in view:
            start, end = view["within"]
            kept.append(f"file_row_number >= {start} AND file_row_number < {end}")
        _view(connection, inner, scan, scan.sql(kept=" AND ".join(kept)))
    if alike:
        connection.execute(f'CREATE TEMP VIEW "{name}" AS SELECT * FROM "{inner}" WHERE {alike}')


def _at_hand(view: Mapping[str, Any], worker: str) -> list[str]:
    """The files of a table on this machine, the same as where the question was asked."""
    at = view["at"] or str(Path(view["files"][0]).parent)
    with FETCHING:
        if view["at"] not in FETCHED or not _same(view):
            try:
                FETCHED[view["at"]] = folder.find(view["at"]) if view["at"] else Path()
                here = _same(view)
            except InputError as error:
                raise not_at_hand(worker, at) from error
            if here is None:
                raise not_at_hand(worker, at)
            if not here:
                raise another_edition(worker, at)
    return [str(FETCHED[view["at"]] / file) for file in view["files"]]


FETCHED: dict[str, Path] = {}
"""Where a worker has what lies at an address; the paths of a shared file system are what they are."""

FETCHING = threading.Lock()
"""Held by the one task of a worker that fetches."""


def _same(view: Mapping[str, Any]) -> bool | None:
    """Whether the files of a table are here as they were where the question was asked; none where one is not here."""
    try:
        return bool([_end(FETCHED[view["at"]] / file) for file in view["files"]] == view["ends"])
    except OSError:
        return None


MEND = "put it on a file system that all share, or give an address, as s3://bucket/folder"


def not_at_hand(worker: str, at: str) -> InputError:
    """That a worker cannot read an edition."""
    needed = f"it where the worker can read it, as it is larger than {MOST_SENT:,} bytes"
    return InputError.one(f"worker {worker}", f"no edition at {at}", needed, MEND)


def another_edition(worker: str, at: str) -> InputError:
    """That an edition is not the same where a worker reads it."""
    return InputError.one(f"worker {worker}", f"another edition at {at}", "the same, byte for byte", MEND)


def another_version(worker: str) -> InputError:
    """That a worker would count in another way."""
    return InputError.one(
        f"worker {worker}",
        "another version of the program, its lock file or Python",
        "the same as where the build was called",
        "bring it up to date, and start it again",
    )
