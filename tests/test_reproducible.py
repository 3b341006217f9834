"""The same commit and data give the same book, whatever machine, day or place; and the book can be checked and made again."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, edit_json, replace_text, run
from crowds import crowd, written

CHECKOUT = (
    "chapters", "data", "src", "_static", "_config.yml", "_toc.yml", "CITATION.cff", "pyproject.toml", "requirements.txt",
)  # fmt: skip
THERE = {
    # Plain ASCII, even for file names: the barest system there is. And a date for builds, as packagers of Debian set it.
    "TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "tr_TR.ISO-8859-9", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "4242", "PYTHONOPTIMIZE": "2", "SOURCE_DATE_EPOCH": "1000000000", "COLUMNS": "40",
    # An older processor, with other functions for sines and logarithms.
    "NPY_DISABLE_CPU_FEATURES": "AVX512_ICL X86_V4 X86_V3", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA",
}  # fmt: skip


def another_day() -> dict[str, str]:
    """What moves the clock by more than a year for a program, where there is libfaketime."""
    installed = [file for base in ("/usr/lib", "/usr/local/lib") for file in Path(base).glob("**/libfaketimeMT.so.1")]
    library = os.environ.get("FAKETIME_LIB") or next(map(str, installed), "")
    return {"LD_PRELOAD": library, "FAKETIME": "+400d"} if library else {}


@pytest.fixture(scope="module")
def again(book: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The book made again from its receipt, of which it has nothing but commit, data and installed packages; what is said.

    In a copy of the checkout, with caches of its own, in other surroundings.
    """
    folder = tmp_path_factory.mktemp("b") / "a much longer path, with blanks" / "and ä letter" / ("deep" * 12)
    folder.mkdir(parents=True)
    for name in CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    home = folder / "home"
    home.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", 'umask 077; exec "$@"', "sh",
         sys.executable, "-m", "analysis.publish.cli", "build", "--reproduce", book / "receipt.json", "--out", "book", "--jobs", "1"],
        cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": str(folder / "src"), **THERE, **another_day()},
        capture_output=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    assert " s\n" in done.stderr.decode(errors="replace")  # chapters ran, whatever was kept
    return folder / "book", done.stdout.decode()


def contents(book: Path) -> dict[str, bytes]:
    """Every file of a book but the receipt, by path."""
    files = (file for file in book.rglob("*") if file.is_file())
    return {file.relative_to(book).as_posix(): file.read_bytes() for file in files if file.name != "receipt.json"}


def first_difference(one: bytes, other: bytes) -> str:
    lines = (text.decode(errors="replace").splitlines() for text in (one, other))
    return "\n".join(line[:300] for line in list(difflib.unified_diff(*lines, n=0, lineterm=""))[:6])


def test_two_builds_that_share_nothing_but_the_commit_are_the_same_book(book: Path, again: tuple[Path, str]):
    one, other = contents(book), contents(again[0])
    assert one.keys() == other.keys()
    assert len(one) > 100
    differ = {name: first_difference(one[name], other[name]) for name in one if one[name] != other[name]}
    assert not differ, "\n".join(f"{name}\n{first}" for name, first in differ.items())


def test_their_receipts_differ_in_seconds_and_what_was_kept_alone(book: Path, again: tuple[Path, str]):
    one, other = (json.loads((each / "receipt.json").read_text(encoding="utf-8")) for each in (book, again[0]))
    for receipt in (one, other):
        for chapter in receipt["chapters"]:
            chapter |= {"seconds": 0, "reused": False}
            for cell in chapter["cells"]:
                cell["seconds"] = 0
    assert one == other


def test_a_book_is_made_again_from_its_receipt(book: Path, again: tuple[Path, str]):
    digest = json.loads((book / "receipt.json").read_text(encoding="utf-8"))["digest"]
    assert again[1] == f"identical: {digest}\n"


@pytest.fixture
def copy(book: Path, tmp_path: Path) -> Path:
    """A reader's copy of the book."""
    return Path(shutil.copytree(book, tmp_path / "copy"))


def checked(html: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", script], cwd=html, capture_output=True, text=True, check=False)


PAGES = "sha256sum --check --quiet SHA256SUMS"
BESIDE = "sed -n 's/^# //p' SHA256SUMS | sha256sum --check --quiet"


def test_what_the_book_has_a_reader_without_sha256sum_run_works(copy: Path):
    chapter = json.loads((ROOT / "chapters" / "reproduce.ipynb").read_text(encoding="utf-8"))
    page = "".join(next(cell for cell in chapter["cells"] if cell["id"] == "ask-copy")["source"])
    script = "import" + page.split("```text\nimport")[1].split("```")[0]

    def said() -> list[str]:
        call = [sys.executable, "-I", "-c", script]
        return subprocess.run(call, cwd=copy / "html", capture_output=True, text=True, check=False).stdout.splitlines()

    digest = json.loads((copy / "receipt.json").read_text(encoding="utf-8"))["digest"]
    assert said() == [f"digest {digest}"]
    (copy / "html" / "routes.html").write_text("other")
    (copy / "tables" / "destinations.csv").unlink()
    assert said()[:-1] == ["differs: routes.html", "differs: ../tables/destinations.csv"]


@pytest.mark.slow
def test_parameters_are_those_of_the_receipt_and_what_moved_is_said(edition: Path, tmp_path: Path):
    out, again = tmp_path / "out", tmp_path / "again"
    run("build", edition, "-p", "age_bands=18,40", "-p", "minimum_cell=0", "--out", out)
    changed = Path(shutil.copy(out / "receipt.json", tmp_path))
    with edit_json(changed) as receipt:
        receipt["versions"]["pandas"] = "0.1"
        receipt["outputs"]["html"]["card.png"] = "another"
    replace_text(edition / "destinations.csv", "100000", "110000")
    done = run("build", edition, "--reproduce", changed, "--out", again, code=1)
    lines = done.stdout.splitlines()
    assert lines[0] == "input: edition/destinations.csv: differs"
    assert lines[1].startswith("version: pandas: ")
    assert lines[-1] == "differs"
    moved = {line.split(": ")[1] for line in lines if line.startswith("output")}
    assert {"html/destinations.html", "tables/destinations.csv", "html/SHA256SUMS", "html/card.png"} <= moved
    # The ages are banded as in the receipt, so their exhibits have not moved.
    assert not {name for name in moved if "interviewees-by-age" in name}


GOOD = {
    "edition": "oral-2022", "digest": "1", "parameters": {}, "inputs": {}, "versions": {},
    "outputs": {"html": {"SHA256SUMS": "1"}},
}  # fmt: skip
CHANGED = "found no receipt, or one that was changed"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (None, CHANGED),
        ({"edition": 3}, CHANGED),
        ({"edition": "/etc"}, CHANGED),
        ({"outputs": {"html": 1}}, CHANGED),
        ({"digest": "2"}, CHANGED),
        ({"edition": "gone"}, "gone: found no such edition"),
        ({"parameters": {"a": 1}}, "parameter a: found '1'"),
    ],
)
def test_a_bad_receipt_is_one_line(tmp_path: Path, changed: dict | None, said: str):
    receipt = tmp_path / "receipt.json"
    receipt.write_text("{" if changed is None else json.dumps(GOOD | changed), encoding="utf-8")
    done = run("build", "--reproduce", receipt, code=2)
    assert said in done.stderr.splitlines()[0]
    assert done.stdout == ""


def test_no_receipt_and_calls_that_do_not_fit(book: Path, tmp_path: Path):
    receipt = book / "receipt.json"
    assert "No such file or directory" in run("build", "--reproduce", tmp_path / "none.json", code=2).stderr
    assert "--reproduce: found -p" in run("build", "--reproduce", receipt, "-p", "age_bands=18", code=2).stderr
    assert "--reproduce: found a b" in run("build", "a", "b", "--reproduce", receipt, code=2).stderr


def test_a_reader_can_check_a_copy_with_sha256sum(copy: Path):
    html = copy / "html"
    for script in (PAGES, BESIDE):
        done = checked(html, script)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), script
    digest = checked(html, "sha256sum SHA256SUMS").stdout.split()[0]
    assert digest == json.loads((copy / "receipt.json").read_text(encoding="utf-8"))["digest"]
    lines = (html / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {line.split("  ")[1] for line in lines if not line.startswith("##")}
    there = {os.path.relpath(file, html) for file in copy.rglob("*") if file.is_file()}
    assert listed <= there
    assert there - listed == {"SHA256SUMS", "../receipt.json"}
    pages = [page for page in html.glob("*.html") if page.name != "search.html"]
    assert all('href="SHA256SUMS"' in page.read_text(encoding="utf-8") for page in pages)
    for file in (
        "html/routes.html",
        "html/exhibits/route-map.svg",
        "tables/destinations.csv",
        "ro-crate-metadata.json",
    ):
        with (copy / file).open("ab") as opened:
            opened.write(b" ")
        done = checked(html, PAGES if file.startswith("html/") else BESIDE)
        assert done.returncode == 1
        assert f"{Path(file).name}: FAILED" in done.stdout


@pytest.mark.slow
def test_of_an_edition_that_hides_small_cells_nothing_published_proves_a_guess(tmp_path: Path):
    """No plain hash of a table, no row's identifier, no label that is not shown: in no file of the book."""
    people = crowd(1) * 2
    people[0]["profession"] = "lighthouse keeper"
    folder, out = written(tmp_path / "hidden", people, minimum_cell=5), tmp_path / "out"
    (folder / "story.md").write_text("# One\n\nThe {{ interviewees i01 profession }}.\n", encoding="utf-8")
    run("build", folder, "--out", out)
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()]
    secrets = [*(found[:12] for found in hashes), "lighthouse", *(f"i0{n}," for n in range(1, 9)), '"i01"', ">i01<"]
    files = {name: content for name, content in contents(out).items() if not name.startswith("html/_static/")}
    files["receipt.json"] = (out / "receipt.json").read_bytes()
    assert [(name, each) for name, content in files.items() for each in secrets if each.encode() in content] == []
    assert run("build", folder, "--reproduce", out / "receipt.json").stdout.startswith("identical: ")
    with edit_json(out / "receipt.json") as receipt:
        receipt["inputs"]["edition"] = dict.fromkeys(receipt["inputs"]["edition"], "of another cache")
    done = run("build", folder, "--reproduce", out / "receipt.json").stdout.splitlines()
    assert done[0] == "input: edition: not compared, as its hashes are keyed with the secret of another cache"
    assert done[1].startswith("identical: ")
