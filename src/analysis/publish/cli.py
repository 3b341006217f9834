"""The command line: parses, calls, prints. Heavy imports wait until a command needs them."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from parabook.errors import InputError, describe, tallied

if TYPE_CHECKING:
    from parabook.book import Book
    from parabook.build import BuildOptions
    from parabook.plugins import Plugin
    from parabook.progress import Progress

DEFAULT = "oral-2022"

INTERRUPTED = 130
"""The exit code when somebody pressed Ctrl-C, as shells have it."""


def command() -> int:
    """What a shell calls: a command, and then the end of the process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended in either way, a build tidies up
    code = main()
    if code == INTERRUPTED:  # all is tidied; threads that still ask after ended kernels would hold it up for seconds
        sys.stdout.flush()
        os._exit(code)
    if "duckdb" not in sys.modules:  # which looks at what is left of it, and complains
        gc.freeze()  # what is loaded ends with the process: no need to look through it
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 done, 1 the report is wrong, 2 the input or the call is wrong."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return int(analysis.main(arguments, prog_name="analysis", standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted; nothing was published")
        return INTERRUPTED
    except click.ClickException as error:
        _complain(error.format_message())
        return 2
    except Exception as error:
        if "--debug" in arguments:
            raise
        _complain(describe(error), getattr(error, "known", ""))
        return 2 if isinstance(error, (InputError, OSError)) else 1


def _complain(*lines: str) -> None:
    for line in filter(None, lines):
        sys.stderr.write(f"{line}\n")  # at once, as books are made side by side


def _folder(context: click.Context, option: click.Parameter, text: str | None) -> Path | None:
    if text is not None and not text.strip():
        raise InputError.one("--out", "an empty name", "a folder for the book")
    return None if text is None else Path(text)


def _pairs(context: click.Context, option: click.Parameter, pairs: Sequence[str]) -> dict[str, str]:
    """Parameters given as NAME=VALUE, by name."""
    for pair in pairs:
        if not all(pair.partition("=")[:2]):
            raise InputError.one("-p", repr(pair), "NAME=VALUE")
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}


def _gone(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise InputError.one("--scheduler", "an option that is gone", "--engine ADDRESS", "for one, sc://HOST:PORT")


def _engine(context: click.Context, option: click.Parameter, address: str | None) -> None:
    if address:
        from analysis.publish.plugin import ENGINE

        os.environ[ENGINE] = address  # for the processes that count


option = click.option
argument = click.argument
file = partial(click.option, type=click.Path(path_type=Path), metavar="FILE")
debug = option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
scheduler = option("--scheduler", hidden=True, expose_value=False, callback=_gone)
engine = option("--engine", metavar="ADDRESS", expose_value=False, callback=_engine, help="Count at sc://HOST:PORT.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def analysis() -> None:
    """Make, check and verify the report of an edition."""


@analysis.command()
@argument("editions", nargs=-1, metavar="[EDITION]...")
@option("-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="Of the chapters.")
@option("--out", callback=_folder, metavar="DIR", help="Where the book goes (default: _build/EDITION).")
@option("--jobs", type=int, default=0, help="Chapters side by side (default: one more than processors).")
@option("--force", is_flag=True, help="Run every chapter, whether or not anything changed.")
@file("--reproduce", "receipt", help="Build again from a receipt.json, and compare.")
@option("--pdf", is_flag=True, help="Print the book to DIR/book.pdf as well (needs Chromium).")
@engine
@scheduler
@debug
def build(
    editions: tuple[str, ...], given: dict[str, str], out: Path | None, jobs: int, force: bool,
    receipt: Path | None, pdf: bool,
) -> int:  # fmt: skip
    """Run the chapters and make the book of each EDITION, a name under data/ or a path."""
    from parabook.build import BuildOptions, build_all, plan_all
    from parabook.build import build as build_book
    from parabook.progress import progress_for

    book, plugin = _book()
    options = BuildOptions(jobs, force)
    if receipt:
        stray = "-p" if given else "--pdf" if pdf else " ".join(editions) if len(editions) > 1 else ""
        if stray:
            needed = "the receipt, and at most where its edition is now"
            raise InputError.one("--reproduce", stray, needed, "leave it out")
        return _reproduce(receipt, book, plugin, "".join(editions), out, options)
    plans = plan_all(book, plugin, editions or [DEFAULT], given)
    if len(plans) == 1 or not out:
        for plan in plans:
            name = plan.input.name
            _print([build_book(plan, out or Path("_build") / name, options, progress_for(name))], pdf)
        return 0
    outcomes = build_all(plans, out, options, lambda name: progress_for(name, alone=False))
    for each in outcomes:
        _complain(*(f"{each.name}: not built: {line}" for line in each.failed.splitlines()))
    built = [each.index for each in outcomes if not each.failed]
    print(f"{len(built)} of {len(outcomes)} editions built")
    _print(built if pdf else [], pdf, last=out.resolve() / "index.html")
    return 0 if len(built) == len(outcomes) else 1


def _book() -> tuple[Book, Plugin]:
    from analysis.publish.plugin import EditionPlugin
    from analysis.schema import ROOT
    from parabook.book import Book

    return Book.open(ROOT), EditionPlugin()


def _reproduce(receipt: Path, book: Book, plugin: Plugin, name: str, out: Path | None, options: BuildOptions) -> int:
    from parabook.progress import progress_for
    from parabook.reproduce import reproduce

    progress = progress_for("again")
    return 0 if reproduce(receipt, book, plugin, name=name, out=out, options=options, progress=progress) else 1


def _print(books: Sequence[Path], pdf: bool, last: Path | None = None) -> None:
    """Print books to PDF if asked to, and the paths of what was made; the front page last."""
    for index in books:
        if pdf:
            from parabook.pdf import print_book

            print(_shown(print_book(index.parent.parent)))
        if not last:
            print(_shown(index))
    if last:
        print(_shown(last))


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


@analysis.command()
@argument("edition")
@option("--embed", is_flag=True, help="Copy the schemas of data/schemas into datapackage.json first.")
@option("--json", "target", metavar="[FILE]", is_flag=False, flag_value="-", help="As JSON too (default: printed).")
@engine
@scheduler
@debug
def check(edition: str, embed: bool, target: str | None) -> int:
    """Find everything that is wrong with the tables of EDITION."""
    from analysis import editions
    from analysis.coding import package
    from analysis.folder import find

    try:
        if embed and package.embed(find(edition)):
            _complain("datapackage.json: schemas copied")
        loaded, problems = editions.examine(edition)
    except InputError as error:
        if not target:
            raise
        loaded, problems = None, list(error.problems)
    for problem in problems:
        _complain(f"{'warning' if problem.warning else 'error'}: {problem}")
    tables = list(loaded.tables) if loaded else []
    counts = tallied(problems)
    errors, warnings = (sum(count[kind] for count in counts.values()) for kind in ("errors", "warnings"))
    if target:
        found = {
            "edition": edition, "problems": [problem.as_dict() for problem in problems],
            "counts": {"errors": errors, "warnings": warnings, "files": counts}, "tables": tables,
        }  # fmt: skip
        _write_json(target, found)
    if target != "-":
        for name, count in counts.items():
            print(f"{name}: {_counted(count['errors'], count['warnings'])}")
        print(f"{edition}: {_counted(errors, warnings)} ({', '.join(tables) or 'no tables'})")
    return 2 if errors else 0


def _write_json(target: str, found: object) -> None:
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    print(text, end="") if target == "-" else Path(target).write_text(text, encoding="utf-8")


def _counted(errors: int, warnings: int) -> str:
    return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"


@analysis.command()
@argument("name")
@file("--into", metavar="FOLDER", help="The folder to write it into (default: data).")
@file("--from", "export", help="An export: CSV, XLSX, ODS, Taguette or REFI-QDA.")
@file("--source", metavar="TEXT", help="The text that is coded, a paragraph a line.")
@debug
def new(name: str, into: Path | None, export: Path | None, source: Path | None) -> None:
    """Begin the edition NAME: empty tables, or a notebook that imports an export."""
    from analysis.publish.new import start, target

    said, text = start(target(name, into), export, source)
    _complain(*filter(None, [said]))
    print(text)


@analysis.command()
@argument("edition")
@file("--source", required=True, help="The source text, one paragraph a line.")
@debug
def verify(edition: str, source: Path) -> int:
    """Hold every coded value of EDITION against its source text."""
    from analysis.coding.verify import source_text
    from analysis.coding.verify import verify as verified
    from analysis.editions import open_edition
    from analysis.text import plural

    loaded = open_edition(edition)
    verdict = verified(loaded, source_text(source))
    _complain(*map(str, verdict.problems))
    print(f"{loaded.name}: {verdict}, {plural(len(verdict.problems), 'problem')}")
    return 1 if verdict.problems else 0


@analysis.command()
@argument("old")
@argument("new")
@option("--json", "target", metavar="FILE", help="Write it as JSON as well; - for the output.")
@file("--page", help="Write it as a page of HTML as well.")
@debug
def compare(old: str, new: str, target: str | None, page: Path | None) -> int:
    """Report which results moved between OLD and NEW, built books or editions."""
    from parabook.review.page import as_html
    from parabook.review.review import compare_all

    found = compare_all(*_book(), old, new, _progress("compare"))
    if target:
        _write_json(target, found.as_json())
    if target != "-":
        print(found.as_text())
    if page:
        page.write_text(as_html(found), encoding="utf-8")
    return 1 if found.moved else 0


@analysis.command()
@argument("edition", default=DEFAULT)
@option("--accept", is_flag=True, help="Approve the results of this run.")
@option("--approved", callback=_folder, metavar="FOLDER", help="Where they lie (default: tests/approved/EDITION).")
@file("--source", help="Hold the coded values against this source text as well.")
@option("--out", callback=_folder, metavar="DIR", help="Where review.html and review.md go (default: _build/EDITION).")
@debug
def review(edition: str, accept: bool, approved: Path | None, source: Path | None, out: Path | None) -> int:
    """Run EDITION and hold its results against those approved."""
    from parabook.plan import make_plan
    from parabook.review.review import review as review_book

    plan = make_plan(*_book(), edition, {})
    name = plan.input.name
    found = review_book(plan, folder=approved, source=source, progress=_progress(name))
    page = found.write(out or Path("_build") / name)
    print(found.as_text())
    _complain(*map(str, found.evidence.problems if found.evidence else ()))
    print(f"page: {page}")
    if found.wrong:
        _complain("not accepted" if accept else "")
        return 1
    if accept:
        print(f"accepted: {found.accept():,} bytes in {found.approved}")
        return 0
    return 1 if found.moved else 0


def _progress(name: str) -> Progress:
    from parabook.progress import Lines

    return Lines(name)


if __name__ == "__main__":
    raise SystemExit(command())
