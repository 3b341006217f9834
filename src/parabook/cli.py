"""The command line of any Jupyter Book: ``parabook build [BOOK] [INPUT]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from parabook.book import Book
from parabook.build import BuildOptions, build
from parabook.errors import InputError, describe
from parabook.plan import make_plan
from parabook.plugins import plugin_of
from parabook.progress import Progress

INTERRUPTED = 130
"""The exit code when somebody pressed Ctrl-C, as shells have it."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def parabook() -> None:
    """Run the notebooks of a Jupyter Book and publish it, whole or not at all."""


@parabook.command("build")
@click.argument("root", default=".", metavar="[BOOK]", type=click.Path(path_type=Path))
@click.argument("name", default="", metavar="[INPUT]")
@click.option("--out", type=click.Path(path_type=Path), help="Where the book goes (default: BOOK/_build/NAME).")
@click.option("--jobs", type=int, default=0, help="Chapters side by side (default: one more than processors).")
@click.option("--force", is_flag=True, help="Run every chapter, whether or not anything changed.")
def build_command(root: Path, name: str, out: Path | None, jobs: int, force: bool) -> None:
    """Build the book in a folder, on an input where its plug-in takes one."""
    book = Book.open(root)
    plan = make_plan(book, plugin_of(book), name, {})
    place = out or book.root / "_build" / plan.input.name
    print(build(plan, place, BuildOptions(jobs, force), Progress(plan.input.name, live=True)))


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
    """Print lines to standard error, each at once, as books are made side by side; blank ones are left out."""
    for line in filter(None, lines):
        sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run the command of this call."""
    return run(parabook, sys.argv[1:])
