"""Writing new editions: an empty one from the schemas, or one filled from an export as its map says, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from analysis.coding.verify import source_text
from analysis.edition import examine
from analysis.folder import PACKAGE
from analysis.new.drafts import UNPRINTED, draft_text
from analysis.new.exports import digest, read_map, read_sheet, read_sheets, sheet_names
from analysis.new.highlights import fill_highlights
from analysis.new.intake import Filled, Line, Sheet, absent, fill
from analysis.new.maps import Plan
from analysis.schema import ROOT, TABLES, Schema, raw, schema
from analysis.tables import shown_path
from parabook.errors import InputError, Problem, show

MAP: Final = "import-map.yml"
NOTE: Final = "import.json"
HOWTO: Final = "HOWTO.md"
STARTED: Final = tuple(name for name in TABLES if name != "settlements")
"""The tables of an empty edition; settled differences need a second coding first."""

Swap = Callable[[Path, Path], None]
"""Puts a folder in the place of another, which takes the place of the first."""


@dataclass(frozen=True)
class Made:
    """What was written: the edition's folder, rows by table, and what a person must be told."""

    path: Path
    rows: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """What was made, and which commands come next."""
        called = os.path.relpath(self.path) if self.path.is_relative_to(Path.cwd()) else str(self.path)
        counts = ", ".join(f"{rows} {name}" for name, rows in self.rows.items() if rows) or "no rows yet"
        return "\n".join(
            [
                f"{called}: {counts}",
                f"next: fill {os.path.join(called, PACKAGE)}, see {HOWTO} beside it; then",
                f"  analysis check {called}",
                f"  analysis build {called}",
            ]
        )


# --- where an edition goes -------------------------------------------------------------------------------------------


def target(name: str, into: Path | None = None) -> Path:
    """The folder that a new edition gets: under ``data/``, in another folder, or the path that the name is.

    Examples
    --------
    >>> target("survey-2024").relative_to(ROOT).as_posix()
    'data/survey-2024'
    >>> target("My survey!")
    Traceback (most recent call last):
    parabook.errors.InputError: NAME: found 'My survey!', needed small letters, digits, - and _, beginning with a letter or digit; such as 'my-survey'
    """
    path = Path(name)
    if "/" in name and into:
        raise InputError.one("NAME", show(name), "a plain name beside --into", "put the folder into --into")
    if ".." in path.parts:
        raise InputError.one("NAME", show(name), "a path without ..", "name the folder with --into")
    plain = path.name if "/" in name else name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", plain):
        better = re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")[:64]
        needed = "small letters, digits, - and _, beginning with a letter or digit"
        raise InputError.one("NAME", show(name), needed, f"such as {better!r}" if better else "")
    folder = path.parent if "/" in name else into or ROOT / "data"
    if not folder.is_dir():
        raise InputError.one(folder, "no such folder", "a folder to write the edition into", "make it first")
    return folder.resolve() / plain


def _free(path: Path, again: str) -> None:
    """Refuse a place where something stands already."""
    if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
        return
    if (path / PACKAGE).is_file():
        raise InputError.one(shown_path(path), "an edition", "a new name", again)
    if os.path.lexists(path):
        found = "a folder that is not empty" if path.is_dir() else "a file"
        raise InputError.one(shown_path(path), found, "a new name, or an empty folder")


@contextmanager
def _stage(path: Path) -> Iterator[Path]:
    """A place beside an edition to make it in, gone afterwards whatever happens."""
    stage = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        yield stage / path.name
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _publish(stage: Path, path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    stage.rename(path)


# --- an empty edition ------------------------------------------------------------------------------------------------


def start(path: Path) -> Made:
    """Write an edition to be filled by hand: every table with its header only."""
    _free(path, "")
    with _stage(path) as stage:
        stage.mkdir()
        for name in STARTED:
            (stage / f"{name}.csv").write_text(_table(schema(name), [])[0], encoding="utf-8")
        _write_json(stage / PACKAGE, package(path.name, STARTED))
        (stage / HOWTO).write_text(howto(_called(path)), encoding="utf-8")
        _publish(stage, path)
    return Made(path, dict.fromkeys(STARTED, 0))


def package(name: str, tables: tuple[str, ...]) -> dict[str, Any]:
    """The ``datapackage.json`` of a new edition: blank where a person must say.

    Examples
    --------
    >>> [resource["path"] for resource in package("x", ("places",))["resources"]]
    ['places.csv']
    """
    return {
        "name": name,
        "title": "",
        "description": "",
        "licenses": [],
        "sources": [{"title": ""}],
        "contributors": [{"title": "", "role": "author"}],
        "report": {
            "declared_interviewees": None,
            "collected_at": "",
            "reference_event": {"title": "", "date": ""},
            "minimum_cell": 1,
        },
        "resources": [_resource(table) for table in tables],
    }


def _resource(table: str) -> dict[str, Any]:
    return {
        "name": table,
        "path": f"{table}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": raw(table),
    }


def _called(path: Path) -> str:
    """What commands call an edition, without a path of this machine."""
    return path.name if path.parent == ROOT / "data" else f"path/to/{path.name}"


def howto(path: str, tables: tuple[str, ...] = STARTED, source: str = "") -> str:
    """How to fill an edition and which commands come next, Markdown."""
    listed = "\n".join(f"| `{name}.csv` | {schema(name).description} |" for name in tables)
    text = " --source TEXT" if source and "evidence" in tables else ""
    begin = (
        f"""The tables below were made from `{source}` as `{MAP}` says. Do not edit them: hint the map or the export, and run

```
analysis new {path} --from NEXT-EXPORT --again{text}
```

It replaces these tables, keeps everything else here, and refuses if a table was edited by hand since.
The map is part of this folder: whoever gets the edition can read in it which answers were recoded into what."""
        if source
        else """Open the tables in a spreadsheet or an editor, and save them as CSV in UTF-8 with commas. A blank cell means that
the source does not say. The names of the columns stay as they are; `datapackage.json` explains each."""
    )
    coded = (
        """
- Where the source is a text, every coded value needs a row in `evidence.csv` (at most eight words), and
  `paragraphs.csv` holds the paragraphs' fingerprints. Where it is a survey, take both off the list in `datapackage.json`.
- Delete a table that stays empty, and its entry under `resources`."""
        if not source
        else ""
    )
    return f"""# How to fill this edition

{begin}

| table | what a row is |
| --- | --- |
{listed}

In `datapackage.json`:

- `title`, `description`, `licenses`, `sources` and `contributors` are printed in the book and in its citation.
  A licence is an object, such as `{{"name": "CC-BY-4.0", "title": "Creative Commons Attribution 4.0"}}`.
- `report.declared_interviewees`: how many people the source says were interviewed, if it says so (a whole number, else null).
- `report.collected_at`: the place where they were interviewed, an identifier of `places.csv`.
- `report.reference_event`: what they fled from, its title and date (YYYY-MM-DD).
- `report.minimum_cell`: counts below this number are not printed; 1 prints all. For a survey, consider 5.{coded}

Never write names, phone numbers or places below town level into any table.

```
analysis check {path}     # what is missing or wrong, cell by cell
analysis build {path}     # the book
```
"""


# --- an edition from an export ---------------------------------------------------------------------------------------


def bring(
    path: Path,
    file: Path,
    map_file: Path | None,
    *,
    source: Path | None = None,
    again: bool = False,
    discard: bool = False,
    swap: Swap | None = None,
) -> Made:
    """Fill an edition from an export, as a map says.

    Parameters
    ----------
    path : Path
        The edition's folder, from `target`.
    file : Path
        The export, CSV or XLSX.
    map_file : Path, optional
        The map; without it, the one that the edition keeps.
    source : Path, optional
        The source text of an export of highlights: gives the paragraphs of evidence.
    again : bool
        Replace the tables that an earlier import made.
    discard : bool
        Replace them also where they were edited since.
    swap : callable, optional
        How a folder takes the place of another.

    Raises
    ------
    InputError
        With every problem of map and export; nothing is written then.
    """
    if again:
        path = path.resolve()
        note = _note(path)
        map_file = map_file or path / MAP
    else:
        _free(path, "add --again to repeat its import")
        note = {}
    if map_file is None:
        raise InputError.one(file, "no map", "--map FILE")
    plan, wrong = read_map(map_file)
    if "evidence" in note.get("tables", {}) and plan.highlights and source is None:
        raise InputError.one(
            file, "no --source", "the text that the highlights are of, as at the last import", "add --source FILE"
        )
    filled = _filled(plan, wrong, file, source)
    tables = tuple(name for name in TABLES if filled.tables.get(name))
    if not tables:
        raise InputError.one(
            shown_path(file), "no rows for any table", "rows of answers", f"see `where` and `sheet` in {plan.file}"
        )
    if again and not discard:
        _unedited(path, note, tables)
    with _stage(path) as stage:
        if again:
            shutil.copytree(path, stage, symlinks=True)
        else:
            stage.mkdir()
        lines = _write(stage, path, plan, filled, tables, file, map_file, note)
        _held(stage, path, plan, lines)
        if again and swap:
            swap(stage, path)
        else:
            _publish(stage, path)
    left = f"not copied, as the map does not name them: {', '.join(filled.unused)}" if filled.unused else ""
    return Made(path, {name: len(filled.tables[name]) for name in tables}, tuple(filter(None, [*filled.notes, left])))


def _filled(plan: Plan, wrong: list[Problem], file: Path, source: Path | None) -> Filled:
    sheets = read_sheets(file, plan)
    if wrong:  # a map with problems of its own fills nothing, but the columns it names can be looked for
        raise InputError([*wrong, *absent(plan, sheets)])
    filled = fill(plan, sheets)
    if plan.highlights and not filled.problems:
        filled = fill_highlights(plan, sheets[""], source_text(source) if source else None, filled)
    if filled.problems:
        raise InputError(filled.problems)
    main = sheets[""]
    blank = f", {main.blank} blank rows between them" if main.blank else ""
    filled.notes.insert(0, f"{main.file}: {len(main.rows)} rows{blank}")
    return filled


def _note(path: Path) -> dict[str, Any]:
    """What an edition keeps of its last import."""
    needed = "an edition made with --from"
    try:
        note = json.loads((path / NOTE).read_text(encoding="utf-8"))
        if not note["tables"].keys() <= {*TABLES}:
            raise KeyError
    except FileNotFoundError as error:
        found = f"no {NOTE}" if (path / PACKAGE).is_file() else "no such edition"
        raise InputError.one(shown_path(path), found, needed, "leave out --again for a new one") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(shown_path(path / NOTE), "something else", "the note that the import wrote") from error
    return dict(note)


def _unedited(path: Path, note: Mapping[str, Any], tables: tuple[str, ...]) -> None:
    """Refuse to replace what a person has written."""
    problems = []
    for name in sorted({*note["tables"], *tables}):
        file = path / f"{name}.csv"
        kept = note["tables"].get(name)
        if kept is None and file.exists():
            found = "a table that no import made"
        elif kept is not None and (not file.is_file() or digest(file) != kept):
            found = "edits since the last import"
        else:
            continue
        problems.append(
            Problem(
                shown_path(file),
                found,
                "the table as the import wrote it",
                "bring the edits into the map, or add --discard-edits",
            )
        )
    if problems:
        raise InputError(problems)


def _write(
    stage: Path,
    path: Path,
    plan: Plan,
    filled: Filled,
    tables: tuple[str, ...],
    file: Path,
    map_file: Path,
    note: Mapping[str, Any],
) -> dict[str, dict[int, Line]]:
    """The edition's files; where each line of each table was read."""
    lines: dict[str, dict[int, Line]] = {}
    hashes = {}
    for name in note.get("tables", {}):
        (stage / f"{name}.csv").unlink(missing_ok=True)
    for name in tables:
        text, lines[f"{name}.csv"] = _table(schema(name), filled.tables[name])
        (stage / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        hashes[name] = hashlib.sha256(text.encode()).hexdigest()
    held = (stage / PACKAGE).is_file()
    content = _kept_package(stage / PACKAGE, path) if held else package(path.name, ())
    kept = [each for each in content["resources"] if each.get("name") not in {*note.get("tables", {}), *tables}]
    content["resources"] = [_resource(name) for name in tables] + kept
    _report(content, filled.report)
    _write_json(stage / PACKAGE, content)
    written = map_file.read_text(encoding="utf-8-sig").splitlines()
    (stage / MAP).write_text(
        "\n".join(x for x in written if not x.lstrip().startswith(UNPRINTED)) + "\n", encoding="utf-8"
    )
    _write_json(stage / NOTE, {"source": file.name, "sha256": digest(file), "map": MAP, "tables": hashes})
    if not held:
        (stage / HOWTO).write_text(howto(_called(path), tables, file.name), encoding="utf-8")
    return lines


def _report(content: dict[str, Any], told: Mapping[str, str]) -> None:
    """Put what an import says of the whole edition into its report object; the rest of it stays."""
    report = content.setdefault("report", {})
    for key, text in told.items():
        if key == "declared_interviewees":
            report[key] = int(text) if re.fullmatch("[0-9]{1,9}", text) else text
        elif key == "reference_event.date":
            report["reference_event"] = {**(report.get("reference_event") or {}), "date": text}
        else:
            report[key] = text


def _kept_package(file: Path, path: Path) -> dict[str, Any]:
    """The ``datapackage.json`` that an edition has."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not all(isinstance(each.get("name"), str) for each in content["resources"]):
            raise TypeError
        if not isinstance(content.get("report", {}), dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "hint it first: analysis check names the place"
        raise InputError.one(shown_path(path / PACKAGE), "no list of tables", "a data package", hint) from error
    return content


def _table(spec: Schema, lines: list[Line]) -> tuple[str, dict[int, Line]]:
    """A table as CSV, and its lines by the row that a check of the file would name."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(spec.columns)
    at: dict[int, Line] = {}
    row = 1
    for line in lines:
        cells = [line.cells.get(column, "") for column in spec.columns]
        writer.writerow(cells)
        row += 1 + sum(len(re.findall("\r\n|\r|\n", cell)) for cell in cells)
        at[row] = line
    return out.getvalue(), at


def _held(stage: Path, path: Path, plan: Plan, lines: Mapping[str, Mapping[int, Line]]) -> None:
    """Hold what was made against the checks of every edition; problems are told where the export has them."""
    _, problems = examine(stage)
    here, there = shown_path(stage), shown_path(path)
    by_file = {shown_path(stage / name): found for name, found in lines.items()}
    told = []
    for problem in problems:
        line = by_file.get(problem.file, {}).get(problem.row or 0)
        if problem.warning:
            continue
        if line is None:
            told.append(
                replace(problem, file=problem.file.replace(here, there), found=problem.found.replace(here, there))
            )
            continue
        column = line.source.get(problem.column or "") or problem.column
        hint = problem.hint or f"hint it there, or recode {problem.column} in {plan.file}"
        told.append(replace(problem, file=line.file, row=line.row or None, column=column, hint=hint))
    if told:
        raise InputError(told)


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


# --- a draft of a map ------------------------------------------------------------------------------------------------


def drafted(path: Path, file: Path, to: Path) -> InputError:
    """Write the draft of a map for an export, and say that no edition was made.

    The draft tells every column with its values, where they are few, and decides nothing.
    """
    _free(path, "add --again to repeat its import")
    sheets: dict[str, Sheet] = {}
    unread: list[Problem] = []
    for name in sheet_names(file):
        try:
            sheets[name] = read_sheet(file, name)
        except InputError as error:  # a title above the header, a sheet of notes: the others may do
            unread += error.problems
    if not sheets:
        raise InputError(unread)
    try:
        with to.open("x", encoding="utf-8") as out:
            out.write(draft_text(shown_path(file), sheets, unread))
    except FileExistsError as error:
        raise InputError.one(
            shown_path(to), "a file", "room for the draft of a map", "use it with --map, or move it away"
        ) from error
    hint = f"a draft lies in {shown_path(to)}: fill it, then add --map {shown_path(to)}"
    return InputError.one(shown_path(file), "no map", "which column fills which; no edition was made", hint)
