"""The command line: parses, calls, prints. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parabook.build import How

DEFAULT = "oral-2022"

INTERRUPTED = 130
"""The exit code when somebody pressed Ctrl-C, as shells have it."""


def command() -> int:
    """What a shell calls: a command, and then the end of the process."""
    code = main()
    if code == INTERRUPTED:  # all is tidied; threads that still ask after ended kernels would hold it up for seconds
        sys.stdout.flush()
        os._exit(code)
    if "duckdb" not in sys.modules:  # which looks at what is left of it, and complains
        gc.freeze()  # what is loaded ends with the process: no need to look through it
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 done, 1 the report is wrong, 2 the input or the call is wrong."""
    options = parser().parse_args(arguments)
    if options.debug:
        return int(options.call(options))
    from parabook.errors import InputError

    try:
        return int(options.call(options))
    except InputError as error:
        _complain(*map(str, error.problems), getattr(error, "known", ""))
        return 2
    except KeyboardInterrupt:
        _complain("interrupted; nothing was published")
        return INTERRUPTED
    except OSError as error:
        _complain(f"{error.filename or 'files'}: {error.strerror or error}")
        return 2
    except Exception as error:
        from parabook.build import told_in_lines

        _complain(told_in_lines(error))
        return 1


def _complain(*lines: str) -> None:
    for line in filter(None, lines):
        sys.stderr.write(f"{line}\n")  # at once, as books are made side by side


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="analysis", description="Make, check and verify the report of an edition.")
    top.set_defaults(debug=False)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, call: object, told: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=told, description=told)
        sub.set_defaults(call=call)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        return sub

    make = command("build", build, "Run the chapters and make the book.")
    make.add_argument("edition", nargs="*", help=f"a name under data/ or a path (default: {DEFAULT}, or the receipt's)")
    make.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the chapters"
    )
    make.add_argument("--out", type=_folder, help="where the book goes (default: _build/EDITION)")
    make.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="chapters side by side (default: one more than processors)"
    )

    make.add_argument(
        "--seconds", type=float, default=900.0, metavar="N", help="how long a chapter may take (default: %(default)g)"
    )
    make.add_argument("--force", action="store_true", help="run every chapter, whether or not anything changed")
    make.add_argument(
        "--reproduce",
        type=Path,
        metavar="RECEIPT",
        help="build again what a receipt.json tells of, and say what differs",
    )
    make.add_argument("--pdf", action="store_true", help="print the book to DIR/book.pdf as well (needs Chromium)")

    look = command("check", check, "Find everything that is wrong with an edition's tables.")
    look.add_argument("edition", help="a name under data/ or a path")
    look.add_argument(
        "--engine", default="", metavar="ADDRESS", help="a Spark Connect server, as sc://HOST:PORT, that reads Parquet"
    )
    look.add_argument(
        "--embed", action="store_true", help="copy the schemas of data/schemas into datapackage.json first"
    )
    look.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="the problems and their counts as JSON too (default: printed)",
    )

    begin = command("new", new, "Begin an edition: empty, or filled from an export as a map says.")
    begin.add_argument("name", help="a name under data/, or a path")
    begin.add_argument("--into", type=Path, metavar="FOLDER", help="the folder to write it into (default: data)")
    begin.add_argument("--from", dest="export", type=Path, metavar="FILE", help="an export, CSV or XLSX")
    begin.add_argument(
        "--map", type=Path, metavar="FILE", help="which column fills which; without it a draft is written"
    )
    begin.add_argument("--source", type=Path, metavar="FILE", help="the text that an export of highlights was made of")
    begin.add_argument("--again", action="store_true", help="replace the tables that an earlier import made")
    begin.add_argument("--discard-edits", action="store_true", help="with --again: also tables edited since by hand")

    prove = command("verify", verify, "Hold every coded value of an edition against its source text.")
    prove.add_argument("edition", help="a name under data/ or a path")
    prove.add_argument(
        "--source", type=Path, required=True, metavar="FILE", help="the source text, one paragraph a line"
    )

    differ = command("compare", compare, "Tell which results moved between two built books or editions.")
    for end in ("old", "new"):
        differ.add_argument(end, help="a built book's folder, a name under data/, or an edition's path")
    differ.add_argument("--json", metavar="FILE", help="write it as JSON as well; - for the output")
    differ.add_argument("--page", type=Path, metavar="FILE", help="write it as a page of HTML as well")

    judge = command("review", review, "Run an edition and hold its results against those approved.")
    judge.add_argument(
        "edition", nargs="?", default=DEFAULT, help="a name under data/ or a path (default: %(default)s)"
    )
    judge.add_argument("--accept", action="store_true", help="approve the results of this run")
    judge.add_argument(
        "--approved", type=_folder, metavar="FOLDER", help="the approved state (default: tests/approved/EDITION)"
    )
    judge.add_argument(
        "--source", type=Path, metavar="FILE", help="hold the coded values against this source text as well"
    )
    judge.add_argument("--out", type=_folder, help="where review.html and review.md go (default: _build/EDITION)")
    return top


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("found '', needed a folder for the book")
    return Path(text)


def build(options: argparse.Namespace) -> int:
    """``analysis build``."""
    from analysis.folder import find
    from parabook.build import How, build_all
    from parabook.build import build as make
    from parabook.errors import InputError

    given = {}
    for pair in options.parameter:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError.one("-p", repr(pair), "NAME=VALUE")
        given[name] = value
    how = How(options.jobs, options.force, options.seconds)
    if options.reproduce:
        return _reproduce(options, how)
    options.edition = options.edition or [DEFAULT]
    if len(options.edition) > 1 and options.out:
        outcomes = build_all(options.edition, given, options.out, how, lambda name, line: _complain(f"{name}: {line}"))
        made = [each.index for each in outcomes if not each.failed]
        for each in outcomes:
            _complain(*(f"{each.edition}: not built: {line}" for line in each.failed.splitlines()))
        print(f"{len(made)} of {len(outcomes)} editions built")
        _print_on_paper(made if options.pdf else [])
        print(_shown(options.out.resolve() / "index.html"))
        return 0 if len(made) == len(outcomes) else 1
    for edition in options.edition:
        path = find(edition)
        index = make(path, given, options.out or Path("_build") / path.name, how, _teller(path.name))
        _print_on_paper([index] if options.pdf else [])
        print(_shown(index))
    return 0


def _reproduce(options: argparse.Namespace, how: How) -> int:
    from parabook.errors import InputError
    from parabook.reproduce import reproduce

    if options.parameter or options.pdf or len(options.edition) > 1:
        stray = "-p" if options.parameter else "--pdf" if options.pdf else " ".join(options.edition)
        raise InputError.one("--reproduce", stray, "the receipt, and at most where its edition is now", "leave it out")
    where = "".join(options.edition)
    return 0 if reproduce(options.reproduce, where, options.out, how, tell=_teller("again")) else 1


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _print_on_paper(books: Sequence[Path]) -> None:
    from parabook.pdf import print_book

    for index in books:
        print(_shown(print_book(index.parent.parent)))


def _teller(name: str) -> Callable[[str], None]:
    return lambda line: _complain(f"{name}: {line}")


def check(options: argparse.Namespace) -> int:
    """``analysis check``."""
    from analysis.coding.package import embed
    from analysis.editions import examine
    from analysis.folder import find
    from parabook.errors import InputError, tallied

    try:
        if options.embed and embed(find(options.edition)):
            _complain("datapackage.json: schemas copied")
        loaded, problems = examine(options.edition, engine=options.engine)
    except InputError as error:
        if not options.json:
            raise
        loaded, problems = None, list(error.problems)
    for problem in problems:
        _complain(f"{'warning' if problem.warning else 'error'}: {problem}")
    counts = tallied(problems)
    wrong, odd = (sum(count[kind] for count in counts.values()) for kind in ("errors", "warnings"))
    tables = list(loaded.tables) if loaded else []
    told = [f"{file}: {_counted(count['errors'], count['warnings'])}" for file, count in counts.items()]
    told.append(f"{options.edition}: {_counted(wrong, odd)} ({', '.join(tables) or 'no tables'})")
    if options.json:
        import json

        whole = {
            "edition": str(options.edition),
            "problems": [problem.as_dict() for problem in problems],
            "counts": {"errors": wrong, "warnings": odd, "files": counts},
            "tables": tables,
        }
        text = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
        if options.json == "-":
            print(text, end="")
            return 2 if wrong else 0
        Path(options.json).write_text(text, encoding="utf-8")
    print("\n".join(told))
    return 2 if wrong else 0


def _counted(errors: int, warnings: int) -> str:
    from analysis.prose import plural

    return f"{plural(errors, 'error')}, {plural(warnings, 'warning')}"


def new(options: argparse.Namespace) -> int:
    """``analysis new``."""
    from analysis.new import template
    from parabook.errors import InputError
    from parabook.publish import exchange

    given = {"--map": options.map, "--source": options.source, "--again": options.again}
    stray = [flag for flag, value in given.items() if value and not options.export]
    stray += ["--discard-edits"] if options.discard_edits and not options.again else []
    if stray:
        raise InputError.one(
            stray[0], "no --again" if stray[0] == "--discard-edits" else "no --from FILE", "both", "add it"
        )
    path = template.target(options.name, options.into)
    if not options.export:
        made = template.start(path)
    elif not options.map and not options.again:
        raise template.drafted(path, options.export, Path(f"{path.name}-map.yml"))
    else:
        made = template.bring(
            path,
            options.export,
            options.map,
            source=options.source,
            again=options.again,
            discard=options.discard_edits,
            swap=exchange,
        )
    _complain(*made.notes)
    print(made.told)
    return 0


def verify(options: argparse.Namespace) -> int:
    """``analysis verify``."""
    from analysis.coding.verify import source_text
    from analysis.coding.verify import verify as held
    from analysis.editions import open_edition
    from analysis.prose import plural

    edition = open_edition(options.edition)
    verdict = held(edition, source_text(options.source))
    _complain(*map(str, verdict.problems))
    print(f"{edition.name}: {verdict}, {plural(len(verdict.problems), 'problem')}")
    return 1 if verdict.problems else 0


def compare(options: argparse.Namespace) -> int:
    """``analysis compare``."""
    import json

    from parabook.review.compare import as_json, as_text, verdict
    from parabook.review.compare import compare as held
    from parabook.review.judge import results_of, with_commits
    from parabook.review.page import Review, as_html

    old, new = (results_of(each, _teller(each)) for each in (options.old, options.new))
    found = with_commits(held(old, new))
    if options.json:
        text = json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n"
        print(text, end="") if options.json == "-" else Path(options.json).write_text(text, encoding="utf-8")
    if options.json != "-":
        print(as_text(found))
    if options.page:
        title = f"{old.name} and {new.name}" if old.name != new.name else old.name
        page = Review(f"Comparison of {title}", verdict(found), found, options.old, options.new)
        options.page.write_text(as_html(page), encoding="utf-8")
    return 1 if found.moves else 0


def review(options: argparse.Namespace) -> int:
    """``analysis review``."""
    from analysis.folder import find
    from parabook.review.compare import as_text
    from parabook.review.judge import accept, write
    from parabook.review.judge import review as judged

    name = find(options.edition).name
    made, outcome, folder = judged(options.edition, options.approved, source=options.source, tell=_teller(name))
    page = write(made, options.out or Path("_build") / name)
    print(as_text(made.comparison) if made.comparison and not outcome.failed else made.verdict)
    unresolved = made.evidence.problems if made.evidence else ()
    _complain(*map(str, unresolved))
    print(f"evidence: {made.evidence or 'not held against the source text'}")
    print(f"page: {page}")
    if outcome.failed or unresolved:
        _complain("not accepted" if options.accept else "")
        return 1
    if options.accept:
        print(f"accepted: {accept(outcome, folder):,} bytes in {folder}")
        return 0
    return 1 if made.comparison is None or made.comparison.moves else 0


if __name__ == "__main__":
    raise SystemExit(command())
