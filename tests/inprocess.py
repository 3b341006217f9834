"""The chapters run in this very process, without kernels: what they show, in a second; for tests that seed problems."""

from __future__ import annotations

import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from analysis.edition import Edition, load
from conftest import ROOT

from analysis import report
from parabook.book import Book
from parabook.parameters import REPORTED, all_parameters, parameters
from parabook.review.results import Results, from_notebooks, origin


@contextmanager
def _shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    main = sys.modules["__main__"]  # a shell takes its place, and new processes would be made after it
    shell = InteractiveShell.instance(config=config)
    try:
        yield shell
    finally:
        InteractiveShell.clear_instance()
        sys.modules["__main__"] = main


def executed(shell: Any, notebook: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """A chapter's notebook with the outputs of its code cells."""
    from IPython.utils.capture import capture_output

    found: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    shell.reset(new_session=False)
    for cell in found["cells"]:
        if cell["cell_type"] != "code":
            continue
        with capture_output() as captured:
            done = shell.run_cell("".join(cell["source"]))
            if "parameters" in cell["metadata"].get("tags", []):
                shell.user_ns.update(given)
        done.raise_error()
        shown = [(output.data, output.metadata) for output in captured.outputs]
        if done.result is not None and not hasattr(done.result, "_ipython_display_"):
            shown.append(shell.display_formatter.format(done.result))
        cell["outputs"] = [
            json.loads(json.dumps({"data": data, "metadata": metadata or {}})) for data, metadata in shown
        ]
    return found


def results(edition: str | Path | Edition, *names: str) -> Results:
    """The results of an edition, of some chapters if named, all parameters at their defaults. It is loaded once, not once a chapter."""
    loaded = edition if isinstance(edition, Edition) else load(edition)
    notebooks = Book.open(ROOT).notebooks
    known = all_parameters(notebooks)
    whole = {name: each.default for name, each in known.items() if name not in ("edition", *REPORTED)}
    filled = {"edition": str(loaded.path), "overrides": "", "values": json.dumps(whole, sort_keys=True)}
    with _shell() as shell, pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "load", lambda *_: loaded)
        ran = {
            file.stem: executed(shell, file, {k: v for k, v in filled.items() if k in parameters(file)})
            for file in notebooks
            if not names or file.stem in names
        }
    return from_notebooks(loaded.name, ran, origin(loaded, {}, notebooks))


def mutated(patch: pytest.MonkeyPatch, function: Callable[..., Any], old: str, new: str) -> None:
    """A problem in the code: a function with some of its text replaced, wherever the package holds it."""
    function = inspect.unwrap(function)
    module = sys.modules[function.__module__]
    text = textwrap.dedent(inspect.getsource(function))
    assert old in text, f"{function.__name__} has no {old!r}"
    held = getattr(module, function.__name__)
    # It must see what the module sees, other problems included: it is defined there, and put back by the patch.
    patch.setattr(module, function.__name__, held)
    code = "from __future__ import annotations\n" + text.replace(old, new)
    exec(compile(code, f"<{function.__name__}>", "exec"), vars(module))
    made = getattr(module, function.__name__)
    for name, other in list(sys.modules.items()):
        if name.split(".")[0] == "analysis" and getattr(other, function.__name__, None) is held:
            patch.setattr(other, function.__name__, made)
