"""Warm kernels: each a fresh process, forked from one that has imported what chapters need.

A `jupyter_client` kernel provisioner, found by its entry point, with a kernelspec of its own; papermill and nbclient
use it as any kernel (``-k parabook-warm``). Most of a chapter's time is imports; they are done once, in `server`. Most
of the rest is waiting: a kernel is handed over only when it listens, its end is awaited and not asked for every tenth
of a second, and `Client` spares the fifth of a second in which an ordinary client listens for stray messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import threading
import uuid
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.paths import jupyter_path

from parabook.errors import InputError
from parabook.server import ForkedProcess, server

KERNEL = "parabook-warm"

SPECS = KernelSpecManager(kernel_dirs=[str(Path(__file__).parent / "jupyter" / "kernels"), *jupyter_path("kernels")])
"""Where kernelspecs are found: ours first, for calls from a checkout. To find out the other folders IPython is imported."""

MOST_BYTES = 90
"""Bytes in the path of a socket; systems take about a hundred."""


def kernel_for(name: str) -> tuple[str, bool]:
    """The kernel that runs a notebook which asks for one, a warm one where that is of this interpreter; and whether it is Python."""
    if name in ("", "python", "python3", KERNEL):
        return KERNEL, True
    try:
        spec = SPECS.get_kernel_spec(name)
    except NoSuchKernel as error:
        known = ", ".join(sorted({*SPECS.find_kernel_specs()} - {KERNEL}))
        raise InputError.one("kernelspec", repr(name), f"an installed kernel: {known}") from error
    program = shutil.which(spec.argv[0]) or ""
    own = Path(program).parent == Path(sys.executable).parent and "ipykernel_launcher" in spec.argv and not spec.env
    return KERNEL if own else name, spec.language == "python"


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork of the preloaded process in place of a new interpreter."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel that a command describes, and wait until it listens, or has ended, which its client finds out."""
        folder, environment = str(kwargs.get("cwd") or Path.cwd()), dict(kwargs.get("env") or os.environ)
        kernel = await asyncio.to_thread(server().fork, serve, cmd[cmd.index("-f") :], folder, environment)
        await asyncio.to_thread(kernel.connection.poll, 60)
        self.process = kernel
        self.pid = self.pgid = kernel.pid
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once, with what its cells started, and wait: the manager would ask every tenth of a second."""
        started: list[psutil.Process] = []
        if isinstance(self.process, ForkedProcess):
            with contextlib.suppress(psutil.Error):  # it has ended already
                started = self.process.children(recursive=True)
        await super().kill(restart)
        for process in started:  # also in a session of its own
            with contextlib.suppress(psutil.Error):
                process.kill()
        if isinstance(self.process, ForkedProcess):
            await asyncio.to_thread(self.process.wait)
            self.process.connection.close()


class Client(AsyncKernelClient):
    """A client of a kernel that listens already."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask the kernel for a word on either channel; what else it answers belongs to no cell, and is passed over."""
        self.kernel_info()
        try:
            await self.get_shell_msg(timeout=1)
            await self.get_iopub_msg(timeout=1)
        except Empty:  # started in the ordinary way, or on a machine with much to do
            await super().wait_for_ready(timeout)


_lock = threading.Lock()


@cache
def _runtime() -> TemporaryDirectory[str]:
    """A folder for sockets and files of kernels, gone with this process: a home may be one that cannot be written to."""
    return TemporaryDirectory(prefix="parabook-")


class Manager(AsyncKernelManager):
    """Manages kernels through `Client`, over sockets in the file system where their path is short enough.

    Numbered ports are chosen before the kernel takes them: of many kernels side by side one finds its own taken, and dies.
    """

    client_class = "parabook.kernels.Client"
    client_factory = Client

    def __init__(self, **options: Any) -> None:
        with _lock:  # of two made at once one would be forgotten, and so removed
            sockets = Path(_runtime().name) / f"k-{uuid.uuid4().hex[:16]}"
        options["connection_file"] = f"{sockets}.json"
        if len(os.fsencode(sockets)) < MOST_BYTES:
            options |= {"transport": "ipc", "ip": str(sockets)}
        super().__init__(kernel_spec_manager=SPECS, **options)


def serve(caller: Connection, arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be a kernel: what the forked process runs."""
    os.setsid()  # a group of its own, so that what its cells start ends with it
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # with it IPython hears nothing that libraries write to descriptor 2
    os.environ["IPYTHONDIR"] = f"{arguments[1]}.ipython"  # beside the connection file: not the user's own profile
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.argv = ["ipykernel_launcher", *arguments]
    sys.path.insert(0, folder)  # as a new interpreter started there would have it
    if random := sys.modules.get("numpy.random"):
        random.seed()  # else all kernels would have the same numbers

    from ipykernel.kernelapp import IPKernelApp

    kernel: Any = IPKernelApp.instance()
    kernel.initialize(arguments)
    caller.send("listens")
    kernel.start()
