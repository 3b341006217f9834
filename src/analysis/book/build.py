"""One book from one edition: check, run, stage, assemble, publish. The order of the steps, and nothing else.

What needs heavy imports is imported when it is needed: a build with nothing to do needs none of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.book.plan import plan, unchanged


def build(
    edition: str | Path,
    given: Mapping[str, str],
    out: Path,
    *,
    jobs: int = 0,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Make the book of an edition.

    Parameters
    ----------
    edition : str or Path
        A name under ``data/`` or a path.
    given : mapping of str
        Parameters, as the call gives them.
    out : Path
        Where ``html``, ``notebooks``, ``tables``, ``charts`` and ``receipt.json`` go.
    jobs : int
        Chapters side by side; 0 for as many as there are processors.
    force : bool
        Run every chapter and write every page, whether or not anything changed.

    Returns
    -------
    Path
        The book's ``index.html``.

    Raises
    ------
    BadInput
        When the edition or a parameter cannot be used; nothing was run.
    ChapterFailed, AssemblyFailed
        When the report is wrong; the book in place is as it was.
    """
    out = out.resolve()
    index = out / "html" / "index.html"
    planned = plan(edition, given)
    if not force and unchanged(planned, out):
        tell("nothing changed")
        return index

    from analysis.book.warm import warm_up

    warm_up()  # loads beside what follows
    from analysis import tabulate
    from analysis.answers import one_mark_each
    from analysis.book.ahead import ahead
    from analysis.book.assemble import assemble
    from analysis.book.card import card_png
    from analysis.book.publish import publish, workshop
    from analysis.book.receipt import receipt
    from analysis.book.run import run_all
    from analysis.book.sphinx import CARD
    from analysis.book.stage import glued, stage
    from analysis.edition import load

    tabulate.checked(planned.given)
    checked = load(planned.edition)
    with workshop(out) as folder, ahead() as worker:
        ran = run_all(
            planned, jobs or os.cpu_count() or 1, tell, force=force, done=lambda ran: worker.draw(ran.notebook)
        )
        left_out = stage({each.chapter: each.notebook for each in ran}, folder)
        tell("assembling")
        told = glued(json.loads(ran[0].notebook)).get("lead", "")
        assemble(folder / "site", folder / "html", checked.title, told, checked.homepage)
        marks = one_mark_each(checked.report.declared_interviewees, checked.described)
        (folder / "html" / CARD).write_bytes(card_png(checked.title, told, marks))
        paper = receipt(planned, checked.title, ran, left_out, folder)
        text = json.dumps(paper, indent=1, ensure_ascii=False) + "\n"
        (folder / "receipt.json").write_text(text, encoding="utf-8")
        publish(folder, out)
    return index
