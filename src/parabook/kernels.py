"""Warm kernels: each a fresh process, forked from a server that has loaded what chapters need.

A `jupyter_client` kernel provisioner, found by its entry point, with a kernelspec of its own; papermill
and nbclient use it as any kernel (``-k parabook-warm``). Most of a chapter's time is imports; they are
done once, in `server`. Most of what is left is waiting: a kernel is handed over only when it listens, and its end is awaited, not asked for
every tenth of a second; `Manager` spares the fifth of a second in which an ordinary client listens for stray messages.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.paths import jupyter_runtime_dir

from parabook.server import can_fork, end_with, start_server

KERNEL = "parabook-warm"
"""The kernelspec's name."""

SPECS = Path(__file__).parent / "jupyter"
"""A Jupyter data folder with the kernelspec, for calls from a checkout that has not installed it."""


def warm_up() -> None:
    """Start the server, so that it loads while the caller does something else; make its kernelspec known."""
    paths = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if str(SPECS) not in paths:
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(SPECS), *paths]))
    start_server()


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork of the warm server in place of a new interpreter."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel that the command describes."""
        if not can_fork() or "-f" not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        arguments, environment = cmd[cmd.index("-f") :], kwargs.get("env") or os.environ
        kernel = await asyncio.to_thread(Forked, arguments, kwargs.get("cwd"), environment)
        self.process = kernel  # type: ignore[assignment]
        self.pid = self.pgid = kernel.pid
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once, and wait for it: the manager would ask only every tenth of a second."""
        await super().kill(restart)
        if isinstance(self.process, Forked):
            await asyncio.to_thread(self.process.wait)


class Client(AsyncKernelClient):
    """A client of a kernel that listens already."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask the kernel for a word on either channel.

        What it may still say to that question answers no cell, and is passed over; an ordinary client waits until
        nothing has come for 0.2 seconds.
        """
        self.kernel_info()
        try:
            await self.get_shell_msg(timeout=1)
            await self.get_iopub_msg(timeout=1)
        except Empty:  # started in the ordinary way, or on a machine with much to do
            await super().wait_for_ready(timeout)


class Manager(AsyncKernelManager):
    """Manages kernels through `Client`, over sockets in the file system where there are such.

    Numbered ports are chosen before the kernel takes them: of many kernels side by side one finds its own taken, and dies.
    """

    client_class = "parabook.kernels.Client"
    client_factory = Client

    def __init__(self, **options: Any) -> None:
        sockets = Path(jupyter_runtime_dir()) / f"k-{uuid.uuid4().hex[:16]}"
        if can_fork() and len(os.fsencode(sockets)) < MOST_LETTERS:
            sockets.parent.mkdir(parents=True, exist_ok=True)
            options |= {"transport": "ipc", "ip": str(sockets)}
        super().__init__(kernel_spec_manager=_specs(), **options)


@cache
def _specs() -> KernelSpecManager:
    """Where kernelspecs are found; looking for those folders takes longer than to read one."""
    return KernelSpecManager()


MOST_LETTERS = 90
"""Bytes in the path of a socket; systems take about a hundred."""


RUNNING: set[Forked] = set()
"""The kernels now at work."""


def stop_all() -> None:
    """End every kernel at once, as when the build is interrupted."""
    for kernel in list(RUNNING):
        kernel.kill()


class Forked:
    """A forked kernel with the few methods of ``subprocess.Popen`` that a provisioner calls."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: Sequence[str], folder: str | None, environment: Mapping[str, str]) -> None:
        context = start_server()
        listens, tell = context.Pipe(duplex=False)
        call = (list(arguments), str(folder or os.getcwd()), dict(environment), tell)
        self._process = context.Process(target=serve, args=call, daemon=True)
        self._process.start()
        tell.close()
        self.pid: int = self._process.pid
        RUNNING.add(self)
        with listens:  # or it has ended, which whoever talks to it finds out
            multiprocessing.connection.wait([listens, self._process.sentinel], timeout=60)

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        code: int | None = self._process.exitcode
        if code is not None:
            RUNNING.discard(self)
        return code

    def wait(self) -> int | None:
        """Wait for the end."""
        self._process.join()
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def serve(arguments: list[str], folder: str, environment: dict[str, str], tell: Any) -> None:
    """Be a kernel: what the forked process runs."""
    os.setsid()  # signals to the kernel's group must not reach the server
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # forgets what came while it was one of the build's processes
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a cell can be interrupted, by whoever means this kernel
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))
    end_with()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.argv = ["ipykernel_launcher", *arguments]
    sys.path.insert(0, folder)  # as a new interpreter started there would have it

    from ipykernel.kernelapp import IPKernelApp

    kernel: Any = IPKernelApp.instance()
    kernel.initialize(arguments)
    tell.close()
    kernel.start()
