"""The command line of any Jupyter Book: ``parabook build|preview|serve|test|review [BOOK]``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from parabook.book import Book
from parabook.build import BuildOptions, build
from parabook.errors import InputError, describe
from parabook.plan import Plan, make_plan
from parabook.plugins import plugin_of
from parabook.progress import Progress


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def parabook() -> None:
    """Run the notebooks of a Jupyter Book and publish it, whole or not at all."""


BOOK = click.argument("root", default=".", metavar="[BOOK]", type=click.Path(path_type=Path))
INPUT = click.argument("name", default="", metavar="[INPUT]")


@parabook.command("build")
@BOOK
@INPUT
@click.option("-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", help="Of the notebooks.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the book goes (default: BOOK/_build/NAME).")
@click.option("--jobs", type=int, default=0, help="Chapters side by side (default: one more than processors).")
@click.option("--force", is_flag=True, help="Run every chapter, whether or not anything changed.")
def build_command(root: Path, name: str, given: tuple[str, ...], out: Path | None, jobs: int, force: bool) -> None:
    """Build the book in a folder, on an input where its plug-in takes one."""
    book = Book.open(root)
    if wrong := [pair for pair in given if not all(pair.partition("=")[:2])]:
        raise InputError.one("-p", repr(wrong[0]), "NAME=VALUE")
    plan = make_plan(book, plugin_of(book), name, dict(pair.split("=", 1) for pair in given))
    place = out or book.root / "_build" / plan.input.name
    print(build(plan, place, BuildOptions(jobs, force), Progress(plan.input.name, live=True)))


@parabook.command("preview")
@BOOK
@INPUT
@click.option("--port", type=int, default=8765, help="Where on 127.0.0.1 it is shown; 0 for any (default: 8765).")
def preview_command(root: Path, name: str, port: int) -> None:
    """Show the book in a folder on this machine, and what changes in it at once; Ctrl-C ends it."""
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
    import pytest

    book = Book.open(root)
    files = [str(file) for file in book.notebooks]
    return int(
        pytest.main(
            [f"--rootdir={book.root}", "--book", "-Wignore::pytest.PytestAssertRewriteWarning", *files, *arguments]
        )
    )


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


def main() -> int:
    """Run the command of this call; the exit code: 0 done, 1 the book is wrong, 2 the input or the call is wrong."""
    try:
        return int(parabook.main(prog_name="parabook", standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted; nothing was published\n")
        return 130
    except click.ClickException as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return 2
    except Exception as error:
        sys.stderr.write(f"{describe(error)}\n")
        return 2 if isinstance(error, (InputError, OSError)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
