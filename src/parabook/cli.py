"""The command line of any Jupyter Book: ``parabook build [BOOK] [INPUT]``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from parabook.book import Book
from parabook.build import BuildOptions, build
from parabook.errors import InputError, describe
from parabook.plan import make_plan
from parabook.plugins import plugin_of
from parabook.progress import Progress


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def parabook() -> None:
    """Run the notebooks of a Jupyter Book and publish it, whole or not at all."""


@parabook.command("build")
@click.argument("root", default=".", metavar="[BOOK]", type=click.Path(path_type=Path))
@click.argument("name", default="", metavar="[INPUT]")
@click.option("--out", type=click.Path(path_type=Path), help="Where the book goes (default: BOOK/_build/NAME).")
@click.option(
    "--jobs", type=click.IntRange(0), default=0, help="Chapters side by side (default: one more than processors)."
)
@click.option("--force", is_flag=True, help="Run every chapter, whether or not anything changed.")
def build_command(root: Path, name: str, out: Path | None, jobs: int, force: bool) -> None:
    """Build the book in a folder, on an input where its plug-in takes one."""
    book = Book.open(root)
    plan = make_plan(book, plugin_of(book), name, {})
    place = out or book.root / "_build" / plan.input.name
    print(build(plan, place, BuildOptions(jobs, force), Progress(plan.input.name, live=True)))


def main() -> int:
    """Run the command of this call; the exit code: 0 done, 1 the book is wrong, 2 the input or the call is wrong."""
    try:
        parabook.main(prog_name="parabook", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted; nothing was published\n")
        return 130
    except click.ClickException as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return 2
    except Exception as error:
        sys.stderr.write(f"{describe(error)}\n")
        return 2 if isinstance(error, (InputError, OSError)) else 1
    return 0
