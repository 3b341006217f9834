"""The command line: parses, calls, prints. Each command imports what it needs, so that others start fast."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from click import argument, option

from analysis import folder
from analysis.publish.plugin import EditionPlugin
from analysis.schema import ROOT
from analysis.spark import ENGINE
from analysis.text import plural
from parabook.book import Book
from parabook.build import BuildOptions, build_all, plan_all
from parabook.build import build as build_book
from parabook.cli import complain, pairs, run, shell
from parabook.errors import InputError, grouped, printable, tallied
from parabook.plan import make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress

DEFAULT = "oral-2022"
PATH = click.Path(path_type=Path)


def command() -> int:
    """The program ``analysis``."""
    return shell(analysis)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code, see `parabook.cli.run`."""
    return run(analysis, sys.argv[1:] if arguments is None else arguments)


def _book() -> tuple[Book, Plugin]:
    return Book.open(ROOT), EditionPlugin()


def _engine(context: click.Context, parameter: click.Parameter, address: str | None) -> None:
    if address and parameter.name == "scheduler":
        raise InputError.one("--scheduler", "an option that is gone", "--engine ADDRESS", "for one, sc://HOST:PORT")
    if address:
        os.environ[ENGINE] = address  # read by the processes that count


edition = argument("edition")
as_json = option("--json", "as_json", is_flag=True, help="Print it as JSON.")
engine = option("--engine", metavar="ADDRESS", expose_value=False, callback=_engine, help="Count at sc://HOST:PORT.")
source = option("--source", type=PATH, required=True, help="The source text, one paragraph a line.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def analysis() -> None:
    """Make, check and verify the report of an edition. With --debug errors show tracebacks."""


@analysis.command()
@argument("editions", nargs=-1, metavar="[EDITION]...")
@option("-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Of the chapters.")
@option("--out", type=PATH, help="Where the book goes (default: _build/EDITION).")
@option("--jobs", type=click.IntRange(0), default=0, help="Chapters side by side (default: one more than processors).")
@option("--force", is_flag=True, help="Run every chapter, whether or not anything changed.")
@option("--reproduce", "receipt", type=PATH, help="Build again from a receipt.json, and compare.")
@option("--pdf", is_flag=True, help="Print the book to DIR/book.pdf as well (needs Chromium).")
@engine
@option("--scheduler", hidden=True, expose_value=False, callback=_engine)
def build(
    editions: tuple[str, ...], given: dict[str, str], out: Path | None, jobs: int, force: bool, receipt: Path | None, pdf: bool,
) -> int:  # fmt: skip
    """Run the chapters and make the book of each EDITION: a name under data/, a path or an address."""
    options = BuildOptions(jobs, force)
    if receipt:
        from parabook.reproduce import reproduce

        stray = " ".join(editions) if len(editions) > 1 else ""
        stray = "-p" if given else "--pdf" if pdf else stray
        if stray:
            needed = "nothing beside it but, perhaps, where its edition is now"
            raise InputError.one("--reproduce", stray, needed, "the receipt has the rest: leave it out")
        again = Progress("again", live=True)
        same = reproduce(receipt, *_book(), name="".join(editions), out=out, options=options, progress=again)
        return 0 if same else 1
    plans = plan_all(*_book(), editions or [DEFAULT], given)
    if out and len(plans) > 1:
        outcomes = build_all(plans, out, options)
        complain(*(f"{each.name}: not built: {line}" for each in outcomes for line in each.failed.splitlines()))
        built = [each.index for each in outcomes if not each.failed]
        print(f"{len(built)} of {len(outcomes)} editions built")
        _show(built, out.resolve() / "index.html", pdf)
        return 0 if len(built) == len(outcomes) else 1
    for plan in plans:
        name = plan.input.name
        index = build_book(plan, out or Path("_build", name), options, Progress(name, live=True))
        _show([index], index, pdf)
    return 0


def _show(books: Sequence[Path], index: Path, pdf: bool) -> None:
    """Make the PDFs of books, if asked to, and print the paths of these and of the index, relative to this folder."""
    made = [index]
    if pdf:
        from parabook.pdf import print_book

        made = [*(print_book(each.parents[1]) for each in books), index]
    for path in made:
        print(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else path)


@analysis.command()
@argument("edition", default=DEFAULT)
@option("-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Of the chapters.")
@option("--port", type=int, default=8765, help="Where on 127.0.0.1 it is shown; 0 for any (default: 8765).")
@engine
def preview(edition: str, given: dict[str, str], port: int) -> None:
    """Show the book of EDITION on this machine, and within seconds what changes in it; Ctrl-C ends it."""
    from parabook.preview import preview as preview_book

    preview_book(lambda: make_plan(*_book(), edition, given), port)


@analysis.command()
@edition
@option("--embed", is_flag=True, help="Copy the schemas of data/schemas into datapackage.json first.")
@as_json
@engine
def check(edition: str, embed: bool, as_json: bool) -> int:
    """Find everything that is wrong with the tables of EDITION."""
    from analysis import story
    from analysis.coding import package

    if embed and package.embed(folder.find(edition)):
        complain("datapackage.json: schemas copied")
    opened, problems = story.examine(edition)
    complain(*(f"{'warning' if each.warning else 'error'}: {each}" for each in grouped(problems)))
    files, tables = tallied(problems), [*opened.tables] if opened else []
    counts = {kind: sum(count[kind] for count in files.values()) for kind in ("errors", "warnings")}
    if as_json:
        found = {"problems": [*map(asdict, problems)], "counts": {**counts, "files": files}, "tables": tables}
        print(json.dumps({"edition": edition, **found}, indent=1, ensure_ascii=False))
    else:
        for name, count in [*files.items(), (edition, counts)]:
            print(f"{printable(name)}: {plural(count['errors'], 'error')}, {plural(count['warnings'], 'warning')}")
    return 2 if counts["errors"] else 0


@analysis.command()
@argument("name")
@option("--into", type=PATH, help="The folder to write it into (default: data).")
@option("--from", "export", type=PATH, help="An export: CSV, XLSX, ODS, Taguette or REFI-QDA.")
@option("--source", type=PATH, help="The text that is coded, a paragraph a line.")
def new(name: str, into: Path | None, export: Path | None, source: Path | None) -> None:
    """Begin the edition NAME: empty tables, or a notebook that imports an export."""
    from analysis.publish.new import start

    said, text = start(name, into, export, source)
    complain(said)
    print(text)


@analysis.command()
@edition
@source
def evidence(edition: str, source: Path) -> None:
    """Draft the evidence of every value of EDITION that lacks it."""
    from analysis.coding.draft import add_evidence
    from analysis.coding.verify import source_text

    read, several, left = add_evidence(folder.find(edition), source_text(source))
    print(f"evidence.csv: {plural(read + several + left, 'value')} had no row; those that were there are as they were")
    todo = {
        "read in the text: look whether it is said of the right person or figure": read,
        "read in several paragraphs: of the rows of each delete all but one": several,
        "left to you: fill in the rows whose note begins with “draft:”, and write your reason there": left,
    }
    for what, many in todo.items():
        if many:
            print(f"  {many:,} {what}")


@analysis.command()
@edition
@source
def verify(edition: str, source: Path) -> int:
    """Hold every coded value of EDITION against its source text."""
    from analysis.coding.verify import source_text
    from analysis.coding.verify import verify as verified
    from analysis.editions import open_edition

    loaded = open_edition(edition)
    verdict = verified(loaded, source_text(source))
    complain(*verdict.problems)
    print(f"{loaded.name}: {verdict}, {plural(len(verdict.problems), 'problem')}")
    return 1 if verdict.problems else 0


@analysis.command()
@argument("old")
@argument("new")
@as_json
@option("--page", type=PATH, help="Write it as a page of HTML as well.")
def compare(old: str, new: str, as_json: bool, page: Path | None) -> int:
    """Report which results moved between OLD and NEW, built books or editions."""
    from parabook.review.page import as_html
    from parabook.review.review import compare_all

    found = compare_all(*_book(), old, new, Progress("compare"))
    print(json.dumps(found.as_json(), indent=1, ensure_ascii=False) if as_json else found.as_text())
    if page:
        page.write_text(as_html(found), encoding="utf-8")
    return 1 if found.moved else 0


@analysis.command()
@argument("edition", default=DEFAULT)
@option("--accept", is_flag=True, help="Approve the results of this run.")
@option("--approved", type=PATH, help="Where they lie (default: tests/approved/EDITION).")
@option("--source", type=PATH, help="Hold the coded values against this source text as well.")
@option("--out", type=PATH, help="Where review.html and review.md go (default: _build/EDITION).")
def review(edition: str, accept: bool, approved: Path | None, source: Path | None, out: Path | None) -> int:
    """Run EDITION and hold its results against those approved."""
    from parabook.review.review import review as review_book

    plan = make_plan(*_book(), edition, {})
    name = plan.input.name
    found = review_book(plan, folder=approved, source=source, progress=Progress(name))
    page = found.write(out or Path("_build") / name)
    print(found.as_text())
    complain(*(found.evidence.problems if found.evidence else ()))
    print(f"page: {page}")
    if accept and not found.wrong:
        print(f"accepted: {found.accept():,} bytes in {found.approved}")
        return 0
    complain("not accepted" if accept else "")
    return 1 if found.wrong or found.moved else 0


if __name__ == "__main__":
    raise SystemExit(command())
