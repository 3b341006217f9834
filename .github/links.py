"""Follow every link to another host in the given files and folders; exit 1 where one leads nowhere.

A host that refuses a program (401, 403, 405, 429) is reported and passes: a reader's browser may be let in.
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from urllib.parse import quote

IN_PAGE = re.compile(r'href="(https?://[^"]+)"')
IN_TEXT = re.compile(r"https?://[^\s\"'<>`()\[\]]+")
REFUSED = {401, 403, 405, 429}
TRIES = 3
SECONDS = 30


def links(file: Path) -> set[str]:
    """The links of one file, without the part that leads into a page."""
    text = file.read_text(encoding="utf-8")
    prose = re.sub(r"`[^`]*`", "", text)  # what is code is no link
    found = map(unescape, IN_PAGE.findall(text)) if file.suffix == ".html" else IN_TEXT.findall(prose)
    return {link.partition("#")[0].rstrip(".,;:") for link in found}


def followed(link: str) -> str:
    """What is wrong with a link: blank when it leads somewhere."""
    # Some hosts turn away what does not look like a browser.
    plain = quote(link, safe=":/?#[]@!$&'()*+,;=%")  # a path may have other letters
    request = urllib.request.Request(plain, headers={"User-Agent": "Mozilla/5.0 (link check)"})
    wrong = ""
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):
                return ""
        except urllib.error.HTTPError as error:
            wrong = f"refused ({error.code})" if error.code in REFUSED else f"status {error.code}"
        except (OSError, ValueError) as error:
            wrong = str(getattr(error, "reason", error))
    return wrong


def main(places: list[str]) -> int:
    """Follow them all."""
    files = [
        file for place in map(Path, places) for file in (sorted(place.rglob("*.html")) if place.is_dir() else [place])
    ]
    where: dict[str, list[Path]] = {}
    for file in files:
        for link in links(file):
            where.setdefault(link, []).append(file)
    if not where:
        print("no links found: are these the right files?", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(8) as pool:
        wrong = dict(zip(where, pool.map(followed, where), strict=True))
    for link, what in wrong.items():
        print(f"{what or 'good'}: {link} (in {where[link][0]})")
    return int(any(what and not what.startswith("refused") for what in wrong.values()))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
