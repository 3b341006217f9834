"""Build the book in surroundings that differ in all that a machine, a user or a day can differ in, and compare digests.

``python tools/environments.py FOLDER [NAME ...]`` makes a copy of the checkout for each below FOLDER, without caches,
prints the digest of its book, and exits with 1 where they are not all the same. As root on Linux: it mounts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKOUT = ("chapters", "data", "src", "_static", "_config.yml", "_toc.yml", "CITATION.cff", "pyproject.toml", "requirements.txt")  # fmt: skip
CLOCK = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
NO_FONTS = 'for each in /usr/share/fonts /usr/local/share/fonts /etc/fonts; do mount --bind "$EMPTY" $each; done; '
BUILD = [sys.executable, "-m", "analysis.publish.cli", "build", "--out", "book"]

USERS = {
    ".ipython/profile_default/startup/a.py": "import pandas; pandas.DataFrame.groupby = None",
    ".ipython/profile_default/ipython_config.py": "c.InteractiveShell.ast_node_interactivity = 'all'",
    ".jupyter/jupyter_config.py": "c.KernelManager.transport = 'tcp'",
    "startup.py": "import sys; sys.exit('PYTHONSTARTUP was run')",
    ".local/lib/python3.11/site-packages/altair.py": "raise RuntimeError('the user site was read')",
}
"""Files of a user who has set up everything otherwise."""

# What differs: variables; ``path``, the place of the checkout; ``script``, around the build, which is "$@".
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "plain": {}, "no system fonts": {"script": NO_FONTS + '"$@"'}, "one odd font": {"script": 'cp "$FONT" "$EMPTY"/a.ttf; ' + NO_FONTS + '"$@"'},
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "Turkish": {"LANG": "tr_TR.ISO-8859-9", "LC_ALL": "tr_TR"},
    "far east": {"TZ": "Pacific/Kiritimati"}, "far west": {"TZ": "America/St_Johns"}, "a zone that is none": {"TZ": "x/y"},
    "closed umask": {"script": 'umask 077; "$@"'}, "open umask": {"script": 'umask 000; "$@"'}, "hash seed 1": {"PYTHONHASHSEED": "1"}, "hash seed 4242": {"PYTHONHASHSEED": "4242"},
    "next year": {"LD_PRELOAD": str(CLOCK or ""), "FAKETIME": "+400d"}, "last century": {"LD_PRELOAD": str(CLOCK or ""), "FAKETIME": "@1999-12-31 23:59:50"}, "source date": {"SOURCE_DATE_EPOCH": "1000000000"},
    "one core": {"script": 'exec taskset -c 0 "$@" --jobs 1'}, "many jobs": {"script": '"$@" --jobs 9', "OMP_NUM_THREADS": "7"}, "optimised": {"PYTHONOPTIMIZE": "2"}, "warnings": {"PYTHONWARNINGS": "default", "PYTHONDEVMODE": "1"},
    "a user with a profile": {"PYTHONSTARTUP": "HOME/startup.py", "MPLBACKEND": "agg"}, "temporary files elsewhere": {"TMPDIR": "HOME"}, "no home": {"HOME": "/nonexistent"},
    "no terminal": {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "20"}, "colours": {"TERM": "xterm-256color", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"},
    "a long path": {"path": "/".join(["a rather long name of a folder " * 3] * 3)}, "Kazakh letters": {"path": "Қазақ ұлы ‘әңгіме’", "LC_ALL": "C.UTF-8"},
    "Kazakh letters in ASCII": {"path": "Қазақ ұлы", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "another user": {"script": 'exec unshare --user --map-user=12345 --map-group=12345 "$@"'},
    "a checkout to read": {"script": 'o=$(mktemp -d); mount --bind . .; mount -o remount,ro,bind .; cd "$PWD"; "$@" --out $o/book; cd /; umount "$OLDPWD"; mv $o/book "$OUT"; rmdir $o'},
    "an older processor": {"NPY_DISABLE_CPU_FEATURES": "AVX512_ICL X86_V4 X86_V3", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA"},
    "no network": {"script": 'exec unshare --net "$@"'}, "memory alone": {"script": 'mkdir m; mount -t tmpfs none m; cp -r [!m]* m; cd m; "$@"; cp -r book ..'},
    "few files": {"script": 'ulimit -n 256; "$@"'}, "nothing to read from": {"script": '"$@" <&- | cat'},
}  # fmt: skip


def built(folder: Path, path: str = "", script: str = '"$@"', **surroundings: str) -> str:
    """The digest of the book, or the last line of what the build said."""
    at, home, empty = folder / path, folder / "home", folder / "empty"
    for each in (at, home, empty):
        each.mkdir(parents=True, exist_ok=True)
    for name in CHECKOUT:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, at / name)
    for name, text in USERS.items() if "PYTHONSTARTUP" in surroundings else ():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    own = {name: value.replace("HOME", str(home)) for name, value in surroundings.items()}
    font = str(next(Path("/usr/share/fonts").rglob("*.ttf"), ""))
    call = ["unshare", "--mount", "sh", "-c", f"set -e; {script}", "sh", *BUILD]
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(at / "src")}
    given |= {"EMPTY": str(empty), "FONT": font, "OUT": str(at / "book"), **own}
    done = subprocess.run(call, cwd=at, env=given, capture_output=True, check=False, timeout=900)
    receipt = at / "book" / "receipt.json"
    said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
    return json.loads(receipt.read_text(encoding="utf-8"))["digest"] if receipt.is_file() else said[-1]


def main(base: Path, names: list[str]) -> int:
    digests = {}
    for number, name in enumerate(names or ENVIRONMENTS):
        digests[name] = built(base / f"{number}", **ENVIRONMENTS[name])
        print(f"{digests[name][:300]}  {name}", flush=True)
        shutil.rmtree(base / f"{number}")
    print(f"{len(digests)} environments, {len({*digests.values()})} digests")
    return int(len({*digests.values()}) > 1)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
