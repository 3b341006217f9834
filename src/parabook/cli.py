"""The command line of any Jupyter Book: ``parabook build|preview|serve|test|review [BOOK]``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from parabook.book import Book
from parabook.build import BuildOptions, build
from parabook.errors import InputError, describe
from parabook.plan import Plan, make_plan
from parabook.plugins import plugin_of
from parabook.progress import Progress

INTERRUPTED = 130
"""The exit code when somebody pressed Ctrl-C, as shells have it."""


def pairs(context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Parse an option's values, each ``NAME=VALUE``, as click's callback; an `InputError` when one is not."""
    for pair in given:
        if not all(pair.partition("=")[:2]):
            raise InputError.one("-p", repr(pair), "NAME=VALUE")
    return dict(pair.split("=", 1) for pair in given)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def parabook() -> None:
    """Run the notebooks of a Jupyter Book and publish it, whole or not at all."""


BOOK = click.argument("root", default=".", metavar="[BOOK]", type=click.Path(path_type=Path))
INPUT = click.argument("name", default="", metavar="[INPUT]")


@parabook.command("build")
@BOOK
@INPUT
@click.option(
    "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Of the notebooks."
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the book goes (default: BOOK/_build/NAME).")
@click.option(
    "--jobs", type=click.IntRange(0), default=0, help="Chapters side by side (default: one more than processors)."
)
@click.option("--force", is_flag=True, help="Run every chapter, whether or not anything changed.")
def build_command(root: Path, name: str, given: dict[str, str], out: Path | None, jobs: int, force: bool) -> None:
    """Build the book in a folder, on an input where its plug-in takes one."""
    book = Book.open(root)
    plan = make_plan(book, plugin_of(book), name, given)
    place = out or book.root / "_build" / plan.input.name
    print(build(plan, place, BuildOptions(jobs, force), Progress(plan.input.name, live=True)))


@parabook.command("preview")
@BOOK
@INPUT
@click.option("--port", type=int, default=8765, help="Where on 127.0.0.1 it is shown; 0 for any (default: 8765).")
def preview_command(root: Path, name: str, port: int) -> None:
    """Show the book in a folder on this machine, and within seconds what changes in it; Ctrl-C ends it."""
    from parabook.preview import preview

    def plan() -> Plan:
        book = Book.open(root)
        return make_plan(book, plugin_of(book), name, {})

    preview(plan, port)


@parabook.command("serve")
@BOOK
@click.option("--minutes", type=float, default=10, help="How long it waits for the next kernel (default: 10).")
def serve_command(root: Path, minutes: float) -> None:
    """Keep what the book's notebooks import loaded, for kernels named parabook-warm that other programs start."""
    from parabook.build import preloads
    from parabook.resident import serve

    book = Book.open(root)
    serve(preloads(book, plugin_of(book)), 60 * minutes)


@parabook.command("test", context_settings={"ignore_unknown_options": True})
@BOOK
@click.argument("arguments", nargs=-1, metavar="[PYTEST OPTION]...", type=click.UNPROCESSED)
def test_command(root: Path, arguments: tuple[str, ...]) -> int:
    """Run every cell of the book's notebooks as a test, by pytest."""
    try:
        import pytest
    except ImportError as missing:
        raise InputError.one("test", "no package pytest", "pytest", "pip install pytest") from missing
    if str(root).startswith("-"):  # an option of pytest: the book is here
        root, arguments = Path(), (str(root), *arguments)
    book = Book.open(root)
    places = [f"--rootdir={book.root}", f"--override-ini=cache_dir={book.cache / 'pytest'}"]
    files = [str(file) for file in book.notebooks]
    return int(pytest.main([*places, "--book", "-Wignore::pytest.PytestAssertRewriteWarning", *files, *arguments]))


@parabook.command("review")
@BOOK
@INPUT
@click.option("--accept", is_flag=True, help="Approve the results of this run.")
def review_command(root: Path, name: str, accept: bool) -> int:
    """Run the book and hold its tables, charts, texts and pages against those approved."""
    from parabook.review.review import review

    book = Book.open(root)
    plan = make_plan(book, plugin_of(book), name, {})
    found = review(plan, progress=Progress(plan.input.name))
    print(found.as_text(), f"page: {found.write(book.root / '_build' / plan.input.name)}", sep="\n")
    if accept and not found.wrong:
        print(f"accepted: {found.accept():,} bytes in {found.approved}")
        return 0
    return int(found.wrong or found.moved)


def run(commands: click.Group, arguments: Sequence[str]) -> int:
    """Run a command; the exit code: 0 done, 1 the report is wrong, 2 the input or the call is wrong, 130 interrupted.

    Errors are lines on standard error; with ``--debug`` among the arguments they show tracebacks.
    """
    try:
        call = [each for each in arguments if each != "--debug"]
        return int(commands.main(call, prog_name=commands.name, standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted; nothing was published")
        return INTERRUPTED
    except click.ClickException as error:
        complain(error.format_message())
        return 2
    except Exception as error:
        if "--debug" in arguments:
            raise
        complain(describe(error), getattr(error, "known", ""))
        return 2 if isinstance(error, (InputError, OSError)) else 1


def complain(*lines: object) -> None:
    """Print lines to standard error, without blank ones; each in one write, since books are made side by side."""
    for line in filter(None, lines):
        sys.stderr.write(f"{line}\n")


def shell(commands: click.Group) -> int:
    """Run the command of this call as a program, which SIGTERM ends as Ctrl-C does; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a build cleans up
    code = run(commands, sys.argv[1:])
    if code == INTERRUPTED:  # after the cleanup, threads that wait for ended kernels would delay the exit by seconds
        sys.stdout.flush()
        os._exit(code)
    return code


def main() -> int:
    """The program ``parabook``."""
    return shell(parabook)


if __name__ == "__main__":
    raise SystemExit(main())
