"""Warm kernels: each a new process, forked from one that has imported what chapters need.

They come from a `jupyter_client` kernel provisioner, found by its entry point, and have a kernelspec of their own, so
papermill and nbclient use them like any kernel (``-k parabook-warm``). Most of a chapter's time is imports, which `server`
does once. Most of the rest is waiting, and spared: a kernel is handed over when it listens, its end is awaited and not
polled for every tenth of a second, and `Client` leaves out the fifth of a second that others listen for stray messages.
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
"""Finds kernelspecs, ours first, which a checkout has not installed. Its default ``kernel_dirs`` would import IPython."""


def kernel_for(name: str) -> tuple[str, bool]:
    """The kernel to start for a kernelspec, the warm one if that names this interpreter; and whether it runs Python."""
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
    """Starts kernels by forking the preloaded process."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel that a command describes, and wait, for a minute at most, until it listens.

        That it has ended instead its client finds out.
        """
        folder, environment = str(kwargs.get("cwd") or Path.cwd()), dict(kwargs.get("env") or os.environ)
        kernel = await asyncio.to_thread(server().fork, serve, cmd[cmd.index("-f") :], folder, environment)
        await asyncio.to_thread(kernel.connection.poll, 60)
        self.process = kernel
        self.pid = self.pgid = kernel.pid
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel with all processes that its cells started, and wait for its end."""
        started: list[psutil.Process] = []
        if isinstance(self.process, ForkedProcess):
            with contextlib.suppress(psutil.Error):  # the kernel has ended already
                started = self.process.children(recursive=True)
        await super().kill(restart)
        for process in started:  # those in sessions of their own as well
            with contextlib.suppress(psutil.Error):
                process.kill()
        if isinstance(self.process, ForkedProcess):
            await asyncio.to_thread(self.process.wait)
            self.process.connection.close()


class Client(AsyncKernelClient):
    """A client of a kernel that is listening when the client is made."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for one message each on the shell and the iopub channel; others belong to no cell, and are passed over."""
        self.kernel_info()
        try:
            await self.get_shell_msg(timeout=1)
            await self.get_iopub_msg(timeout=1)
        except Empty:  # a kernel that was not forked, or a busy machine
            await super().wait_for_ready(timeout)


_lock = threading.Lock()


@cache
def _runtime() -> TemporaryDirectory[str]:
    """A folder for connection files and sockets, removed when this process ends; the home may be read-only."""
    return TemporaryDirectory(prefix="parabook-")


class Manager(AsyncKernelManager):
    """A kernel manager that uses `Client`, over sockets in the file system if their path is short enough.

    TCP ports are chosen before the kernel binds them: of many kernels side by side, one finds its port taken and dies.
    """

    client_factory = Client

    def __init__(self, **options: Any) -> None:
        with _lock:  # of two folders made at once, the cache would forget one, which is then removed
            sockets = Path(_runtime().name) / f"k-{uuid.uuid4().hex[:16]}"
        options["connection_file"] = f"{sockets}.json"
        if len(os.fsencode(sockets)) < 90:  # systems allow about a hundred bytes, and the kernel adds to them
            options |= {"transport": "ipc", "ip": str(sockets)}
        super().__init__(kernel_spec_manager=SPECS, **options)


def serve(caller: Connection, arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be a kernel: what the forked process runs."""
    os.setsid()  # a process group of its own, so that what its cells start ends with it
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # with it ipykernel captures no writes to descriptors 1 and 2
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
