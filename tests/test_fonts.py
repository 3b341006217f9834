"""Drawings and pictures are the same bytes whatever fonts a machine has."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from parabook import drawings

PAGES = drawings.FONTS / "pages"
APPROVED = Path(__file__).parent / "approved" / "oral-2022" / "charts"

SCRIPTS = ["Škoda Łódź Çeşme Ağrı", "Қазақстан Ә Ғ Қ Ң Ө Ұ Ү Һ І", "Ӓ Ӱ Ӹ", "Ελλάδα", "→ ● □ × ≥ ± … – “a” ₸"]
"""What the font has letters for."""

OTHERS = ["العربية", "ქართული", "哈萨克斯坦", "🙂👩‍👩‍👧", "\u0301", "\ue000", "\U000e0fff"]

DIGEST = """
import hashlib, json, sys
from parabook import drawings
vl_convert = drawings.program()
found = hashlib.sha256()
for spec in json.load(sys.stdin):
    svg = vl_convert.vegalite_to_svg(spec, vl_version="6.4", config={"font": drawings.FONT})
    found.update(svg.encode() + vl_convert.svg_to_png(svg, scale=2))
print(found.hexdigest())
"""


def labelled(text: str, font: str | None = None) -> dict:
    rows = {"values": [{"label": text, "n": 1}]}
    encoding = {"y": {"field": "label", "type": "nominal"}, "x": {"field": "n", "type": "quantitative"}}
    return {"data": rows, "mark": "bar", "encoding": encoding, "title": text, "config": {"font": font} if font else {}}


def charts() -> list[dict]:
    approved = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(APPROVED.glob("*.json"))]
    for chart in approved:
        chart["config"]["font"] = drawings.FONT
    others = [labelled("Қазақ العربية", font) for font in ("Arial", "serif", "monospace", "DejaVu Sans")]
    return approved + [labelled(text) for text in SCRIPTS + OTHERS] + others


def digest(*call: str, **environment: str) -> str:
    given = {name: value for name, value in os.environ.items() if name != "FONTCONFIG_FILE"} | environment
    call = (*call, sys.executable, "-c", DIGEST)
    run = subprocess.run(call, check=True, input=json.dumps(charts()), env=given, capture_output=True, text=True)
    return run.stdout


def test_pages_have_every_letter_that_drawings_have_by_the_font():
    styles = (PAGES / "fonts.css").read_text(encoding="utf-8")
    spans = [part.split("-") for part in re.findall(r"U\+([0-9A-F-]+)", styles)]
    served = {code for span in spans for code in range(int(span[0], 16), int(span[-1], 16) + 1)}
    assert set(map(ord, "".join(SCRIPTS))) <= served
    assert all((PAGES / name).is_file() for name in re.findall(r'url\("([^"]+)"\)', styles))
    assert all((folder / "OFL.txt").is_file() for folder in (drawings.FONTS, PAGES))


def test_the_variable_is_given_back(monkeypatch):
    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    drawings.program.__wrapped__()
    assert "FONTCONFIG_FILE" not in os.environ


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_machine_s_fonts(tmp_path):
    hide = f'for d in /usr/share/fonts /usr/local/share/fonts; do mount --bind {tmp_path} $d; done; exec "$@"'
    alone = ["unshare", "-m", "sh", "-c", hide, "sh"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no permission to hide the system's fonts")
    settings = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Almaty", "HOME": str(tmp_path), "PYTHONHASHSEED": "7"}
    assert digest() == digest(*alone) == digest(*alone, **settings) == digest(**settings, PYTHONOPTIMIZE="2")
