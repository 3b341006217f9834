"""A live preview: builds a book again at every change, and serves it to browsers on this machine.

Kernels and workers are forked from a preloaded process that stays, and Sphinx reads and writes only what changed. The
page that a reader looks at is made first. Pages are replaced only after a build in which nothing failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from parabook.errors import InputError, describe

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response, StreamingResponse
    from starlette.routing import Route
    from watchfiles import watch
except ImportError as missing:
    hint = "pip install 'PATH_TO_THE_CHECKOUT[preview]'"
    raise InputError.one("preview", f"no package {missing.name}", "those of the extra [preview]", hint) from missing

from parabook import drawings
from parabook.build import ASSEMBLY, DEFAULTS, run_chapters, start, theme
from parabook.cache import ChapterRun, cached
from parabook.files import digest, listed, sha256
from parabook.outputs import Site, draw_pictures, make_next_pages, make_pages
from parabook.plan import PAGES, Plan
from parabook.plugins import Cover
from parabook.progress import Progress
from parabook.protocol import outputs
from parabook.publish import staging
from parabook.run import ChapterFailed
from parabook.server import ForkedProcess, Server, Workers, answer_and_serve_forks, server, stop_all
from parabook.staging import SITE, page_name
from parabook.templating import render

HOST = "127.0.0.1"


class Pages:
    """The files of the last good build, in memory as Sphinx writes in place, and the state that browsers follow."""

    def __init__(self, site: Path) -> None:
        self.site, self.viewed, self.ended = site, "index.html", False
        self.files, self.hashes, self.lock = dict[str, bytes](), dict[str, str](), threading.Lock()
        self.state: dict[str, Any] = {"pages": {}, "styles": "", "errors": [], "warnings": [], "busy": "building"}

    def update(self, **changed: Any) -> None:
        """Replace parts of the state, which is then sent to browsers."""
        with self.lock:
            self.state = self.state | changed

    def load(self) -> None:
        """Read the files that Sphinx has written; browsers compare the hashes of pages and styles."""
        found = listed(self.site)
        hashes = {name: sha256(file) for name, file in found.items()}
        self.files = {
            name: self.files[name] if self.hashes.get(name) == hashes[name] else file.read_bytes()
            for name, file in found.items()
        }
        self.hashes = hashes
        pages = {name: each for name, each in hashes.items() if name.endswith(".html")}
        styles = digest({name: each for name, each in hashes.items() if name.endswith(".css")})
        self.update(pages=pages, styles=styles)

    async def get(self, request: Request) -> Response:
        """A file of the site; pages, and messages that there is no such page, come with the preview's script."""
        name = request.path_params["name"] or "index.html"
        content, headers = self.files.get(name), {"Cache-Control": "no-cache"}
        status = 404 if content is None else 200
        if not name.endswith(".html"):
            return Response(content, status, headers, guess_type(name)[0])
        script = render("preview.html.j2", name=name, own=self.hashes.get(name, ""), styles=self.state["styles"])
        return HTMLResponse((content or b"<!doctype html><title>Preview</title>") + script.encode(), status, headers)

    async def events(self, request: Request) -> Response:
        """The state, now and whenever it changes, as server-sent events."""
        self.viewed = request.query_params.get("page", self.viewed)

        async def messages() -> AsyncIterator[str]:
            sent: object = None
            while not self.ended:
                if sent is not (state := self.state):
                    yield f"data: {json.dumps(state)}\n\n"
                    sent = state
                await asyncio.sleep(0.03)

        return StreamingResponse(messages(), media_type="text/event-stream")


@contextlib.contextmanager
def served(pages: Pages, port: int) -> Iterator[str]:
    """Serve pages to this machine while the context is open, on any free port if ``port`` is 0; gives the address."""
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise InputError.one(f"--port {port}", error.strerror or "an error", "a free port", "0 takes any") from error
    routes = [Route("/-/events", pages.events), Route("/{name:path}", pages.get)]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])  # against DNS rebinding
    app = Starlette(routes=routes, middleware=[hosts])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}/"
    finally:
        pages.ended = server.should_exit = True
        thread.join()


class Assembler:
    """Makes the pages of one folder again and again.

    The first time a forked process makes them, and stays as it then is. For each time after, another process is forked
    from it beforehand, so that Sphinx has already loaded all that it can when the new pages come.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site: Site | None = None
        self.next: ForkedProcess | None = None
        self.fork: Callable[..., ForkedProcess] | None = None

    def make(self, plan: Plan, cover: Cover, runs: Sequence[ChapterRun]) -> None:
        """Bring the pages up to date; an error leaves them as they are."""
        pages, process, self.next = (plan, cover, runs), self.next, None
        if process:
            process.connection.send(pages)
        else:
            process = server().fork(answer_and_serve_forks, make_pages, *pages, self.folder)
        try:
            error, site = process.connection.recv()
        except (EOFError, OSError) as lost:
            raise RuntimeError("assembling the book: its process ended") from lost
        self.site = site or self.site
        if site and not self.fork and process.num_threads() == 1:  # forks would lack its other threads
            self.fork = Server(socket.socket(fileno=os.dup(process.connection.fileno()))).fork
        if self.fork and (self.folder / SITE / "_toc.yml").exists():
            self.next = self.fork(make_next_pages, self.site, self.folder)
        if error:
            raise error


class Preview:
    """A book that is built again and again in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pages = folder, Pages(folder / "html")
        self.plan: Plan | None = None
        """The last plan, also of a build that failed."""
        self.built: Plan | None = None
        """The plan of the pages that are shown, if the last build was good."""
        self.runs: Mapping[str, ChapterRun] = {}
        self.program = self.key = self.checked = ""
        """Hashes: of the code that processes have loaded, of all that the book depends on, of the checked input."""
        self.warnings: dict[str, Sequence[str]] = {}
        self.checking: Future[Cover] = Future()
        self.renderers, self.checkers, self.assembler = Workers(), Workers(2), Assembler(folder)

    def update(self, open_plan: Callable[[], Plan]) -> None:
        """Show the book as it is now, or the pages from before with what is wrong in a bar at their foot."""
        plan, began = None, time.monotonic()
        try:
            plan = self.plan = open_plan()
            if plan.book_key == self.key:
                return
            self.key = plan.book_key
            self.pages.update(busy="building")
            if self.program != (program := program_of(plan)):
                self.restart(plan)
                self.program = program
            changed = differing(self.built, plan)
            if changed and all(name.startswith("_static/") for name in changed):  # Sphinx copies them only with pages
                for name in changed & plan.sources[PAGES].keys():
                    shutil.copyfile(plan.sources[PAGES][name], self.pages.site / name)
                self.pages.load()
            else:
                self.built = None
                self.build(plan)
            self.built = plan
            self.pages.update(errors=[])
            Progress(plan.input.name).message(f"shown after {time.monotonic() - began:.1f} s")
        except Exception as error:
            if plan and any(map(plan.changed, plan.sources)):
                return  # the book has changed again, and is built again next
            self.key = self.key if plan else ""
            self.pages.update(errors=explain(error, plan))
        finally:
            self.pages.update(busy="")

    def restart(self, plan: Plan) -> None:
        """Start all processes anew, with the program as it is now."""
        self.stop()
        start(plan, *ASSEMBLY, theme(plan.book))
        self.renderers, self.checkers, self.assembler = Workers(), Workers(2), Assembler(self.folder)
        self.renderers.submit(drawings.start)

    def stop(self) -> None:
        """End all processes."""
        self.renderers.__exit__()
        self.checkers.__exit__()
        stop_all()

    def build(self, plan: Plan) -> None:
        """Check, run and assemble; if several chapters have changed, first with the one whose page is looked at."""
        plan = replace(plan, checks_in_parallel=True)
        state = digest([{**plan.hashes, "chapters": ""}, plan.given])
        new = state != self.checked or self.checking.exception()
        if new:
            self.checked, self.checking = state, self.checkers.submit(plan.plugin.check, plan)
        changed = [each for each in plan.notebooks if not cached(plan, each)]
        viewed = [each for each in changed if f"{page_name(plan.book, each)}.html" == self.pages.viewed]
        all_have_run = {plan.book.name(each) for each in plan.notebooks} == self.runs.keys()
        rounds: list[Sequence[Path]] = [plan.notebooks]
        if viewed and all_have_run and len(changed) > 1:
            rounds.insert(0, viewed)
        progress = Progress(plan.input.name)
        for notebooks in rounds:
            runs, _ = run_chapters(plan, DEFAULTS, progress, self.checking, self.renderers, notebooks)
            self.runs = {**self.runs, **{run.chapter: run for run in runs}}
            shown = [self.runs[plan.book.name(each)] for each in plan.notebooks]
            cover = self.checking.result()
            # The one renderer works in order: charts are drawn before these. What cannot be drawn fails when pages are assembled.
            self.renderers.submit(draw_pictures, plan, cover, shown).exception()
            self.assembler.make(plan, cover, shown)
            self.warn(pages=self.assembler.site.warnings if self.assembler.site else ())
            plan.require_unchanged(runs)
            self.pages.load()
        if new:
            self.checkers.submit(plan.plugin.problems, plan.input).add_done_callback(self.warn_of_input)

    def warn_of_input(self, problems: Future[Any]) -> None:
        """Show the problems of the input, once they are found."""
        if not problems.cancelled() and not problems.exception():
            self.warn(input=[*map(str, problems.result())])

    def warn(self, **warnings: Sequence[str]) -> None:
        """Replace the warnings of the ``input`` or of the ``pages``, and show all."""
        self.warnings |= warnings
        self.pages.update(warnings=[each for found in self.warnings.values() for each in found])


def differing(old: Plan | None, new: Plan) -> set[str]:
    """The names of files that differ between two plans; none if there is no older one."""
    if not old:
        return set()
    return {name for group, found in old.hashes.items() for name, _ in found.items() ^ new.hashes[group].items()}


def program_of(plan: Plan) -> str:
    """The hash of the code and data that processes have loaded, without pages, chapters and other input."""
    not_program = (plan.plugin.noun, "chapters")
    groups = {group: found for group, found in plan.hashes.items() if group not in not_program}
    files_of_pages = ("_static/", "_config.yml", "_toc.yml")
    return digest({**groups, PAGES: [each for each in groups[PAGES].items() if not each[0].startswith(files_of_pages)]})


def explain(error: Exception, plan: Plan | None) -> list[str]:
    """The lines of an error; for a cell that failed its file, its line and the lines around that."""
    text = describe(error)
    if not plan or not isinstance(error, ChapterFailed) or not error.notebook:
        return text.splitlines()
    file = next(each for each in plan.notebooks if plan.book.name(each) == error.chapter).relative_to(plan.book.root)
    text = text.replace(f"chapter {error.chapter}", file.as_posix(), 1)
    found = (each for each in outputs(json.loads(error.notebook)) if each["output_type"] == "error")
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(next(found, {"traceback": ()})["traceback"]))
    code = re.search(r"Cell In\[\d+\], line (\d+)((?:\n.*\S)*)", trace)
    if not code:
        return [text]
    called = re.findall(r"^File .*?:\d+, in \w+", trace, re.M)
    own = [each for each in called if "site-packages" not in each][-1:]  # the innermost line of the book's own modules
    return [text.replace(": ", f", line {code[1]}: ", 1), *code[2].splitlines()[1:], *own]


def preview(open_plan: Callable[[], Plan], port: int) -> None:
    """Show a book on this machine until somebody presses Ctrl-C; ``open_plan`` gives its plan, at every change anew."""
    plan = open_plan()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # both end in the cleanup below
    with contextlib.suppress(KeyboardInterrupt), staging(plan.book.cache / "preview" / plan.input.name) as folder:
        shown = Preview(folder)
        try:
            with served(shown.pages, port) as address:
                print(address, flush=True)
                for _ in changes(lambda: {file.parent for file in (shown.plan or plan).stamps}):
                    shown.update(open_plan)
        finally:
            shown.stop()


def changes(folders: Callable[[], set[Path]]) -> Iterator[None]:
    """Yield once, and after every change in the folders, also one that is made while the caller works."""
    while True:
        watched = folders()
        existing = filter(Path.is_dir, watched)
        watching = watch(*existing, recursive=False, step=20, rust_timeout=250, yield_on_timeout=True)
        next(watching)  # from here on nothing is missed
        yield
        for found in watching:
            if folders() != watched:
                break
            if found:
                yield
