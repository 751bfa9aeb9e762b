"""The owner's end of the control pipe: one child process of ours.

It stands on plain pipes and one waiting thread instead of asyncio's subprocesses: those take a process for alive as
long as anyone it has forked holds its standard output, and they cannot be stopped once their loop is closed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from demo_workers.errors import LabError
from demo_workers.services.children.control import MAX_LINE, Lines

LOG_TAIL = 2000
"""Bytes of a child's log that an error quotes."""
LOOK_S = 0.01
"""Seconds between two looks at whether a process has ended."""
REAP_S = 5.0
"""Seconds that the kernel has to end a process after SIGKILL."""


class Child:
    """A process that ends when its owner does.

    Args:
        name: for people, in errors.
        module: run as ``python -m module``.
        config: sent as the first line of its standard input.
        log: file that takes its standard error.
        on_event: called on the loop with each piece of news but the first.
        on_exit: called once on the loop when it ends and neither ``stop()`` nor ``terminate()`` had been asked, after
            a start that succeeded.
        command: run instead of ``python -m module``.
        ready: name of the event that ends the start.
    """

    def __init__(
        self,
        name: str,
        module: str,
        config: Mapping[str, Any],
        log: Path,
        *,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        on_exit: Callable[[Child], None] | None = None,
        command: Sequence[str] | None = None,
        ready: str = "ready",
    ) -> None:
        self.name = name
        self._command = command or (sys.executable, "-m", module)
        self._config, self._log = dict(config), log
        self._on_event, self._on_exit, self._ready_event = on_event, on_exit, ready
        self._process: subprocess.Popen[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop
        self._ready: asyncio.Future[dict[str, Any]]
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._calls = 0
        self._stdin = self._stdout = -1
        self._lines = Lines()
        self._writing = asyncio.Lock()
        self._asked = self._over = False

    @property
    def pid(self) -> int | None:
        """Its process id, None before the start."""
        return None if self._process is None else self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; negative for a signal, None while it lives."""
        return None if self._process is None else self._process.poll()

    @property
    def alive(self) -> bool:
        """Whether it has started and not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_tail(self) -> str:
        """The end of what it wrote to standard error."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL))
                return log.read().decode(errors="replace").strip()
        except OSError:
            return ""

    async def start(self, timeout_s: float = 15.0) -> dict[str, Any]:
        """Start it and wait until it says that it is ready; returns what it says.

        Raises:
            LabError: it ended first, did not report in time (it is killed then), or had been started before.
        """
        if self._process is not None:
            raise LabError(f"{self.name}: was started before. Make a new Child.")
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout_s):
                self._spawn()
                await self._send(self._config)
                return await self._ready
        except TimeoutError:
            await self.stop(grace_s=0)
            text = f"{self.name}: must say {self._ready_event!r} within {timeout_s:g} s of its start, was killed."
            raise LabError(self._quoting_log(text)) from None
        except OSError as error:
            raise LabError(f"{self.name}: {self._command[0]} cannot be run ({error}). Check its path.") from error
        except BaseException:
            await self.stop(grace_s=0)
            raise

    async def call(self, verb: str, *, timeout_s: float = 5.0, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its reply.

        Raises:
            LabError: it refused, is not alive, or did not answer in time.
        """
        if not self.alive or self._stdin < 0:
            raise self._gone(f"asked to {verb}")
        self._calls += 1
        number = self._calls
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            async with asyncio.timeout(timeout_s):
                await self._send({"id": number, "verb": verb, **params})
                answer = await reply
        except TimeoutError:
            text = f"{self.name}: must answer {verb!r} within {timeout_s:g} s. It lives but is stuck or frozen."
            raise LabError(self._quoting_log(text)) from None
        finally:
            self._replies.pop(number, None)
        if not answer.get("ok"):
            raise LabError(f"{self.name}: {verb} failed. {answer.get('error')}")
        return answer

    def kill(self) -> None:
        """SIGKILL its process group; does nothing when it has ended."""
        if self.alive:
            self._kill_group()

    def terminate(self) -> None:
        """SIGTERM: finish what is in hand, then leave. What follows counts as asked for."""
        self._asked = True
        if self._process is not None:
            self._process.terminate()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended; returns whether it has."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.alive:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def stop(self, grace_s: float = 2.0) -> None:
        """End it: close its standard input, then SIGKILL after ``grace_s``. May be called twice and from any state.

        Raises:
            LabError: the kernel did not end it within ``REAP_S`` of SIGKILL.
        """
        self._asked = True
        if self._process is None:
            return
        self._close_stdin()
        if not await self.wait(grace_s):
            self.kill()
            if not await self.wait(REAP_S):
                raise LabError(f"{self.name}: process {self.pid} must end within {REAP_S:g} s of SIGKILL. Look at it.")
        self._ended()

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,  # Ctrl-C and the kernel's Interrupt are not for it
            )
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._loop.add_reader(self._stdout, self._read)
        threading.Thread(target=self._watch, args=(process,), name=f"wait for {self.name}", daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._kill_group()  # what it has started in its own group
        try:
            self._loop.call_soon_threadsafe(self._ended)
        except RuntimeError:
            pass  # the loop is closed: nobody is left to be told

    def _kill_group(self) -> None:
        assert self._process is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # gone; macOS says "not permitted" of a group of zombies

    async def _send(self, message: dict[str, Any]) -> None:
        data = msgspec.json.encode(message)
        if len(data) > MAX_LINE:
            raise LabError(f"{self.name}: message = {len(data)} bytes: must be at most {MAX_LINE}. Make it smaller.")
        rest = memoryview(data + b"\n")
        async with self._writing:
            try:
                while rest:
                    try:
                        rest = rest[os.write(self._stdin, rest) :]
                    except BlockingIOError:
                        await asyncio.sleep(LOOK_S)  # 64 KiB are under way and it does not read them
            except OSError:
                await self.wait(LOOK_S * 20)  # a closed pipe is mostly the first sign of an end
                raise self._gone("spoken to") from None
            finally:
                if 0 < len(rest) <= len(data):
                    self.kill()  # half a command cannot be taken back

    def _read(self) -> None:
        """Hear what has arrived; called by the loop."""
        while True:
            try:
                chunk = os.read(self._stdout, 1 << 16)
            except OSError:
                return  # nothing more for now, or closed
            if not chunk:
                self._loop.remove_reader(self._stdout)
                return
            try:
                lines = self._lines.feed(chunk)
            except LabError as error:
                self._report(error)
                return self.kill()
            for line in lines:
                try:
                    self._hear(msgspec.json.decode(line))
                except Exception as error:
                    self._report(error)

    def _report(self, error: Exception) -> None:
        context = {"message": f"{self.name}: error while its news was heard", "exception": error}
        self._loop.call_exception_handler(context)

    def _hear(self, message: dict[str, Any]) -> None:
        if "event" not in message:
            reply = self._replies.get(message["id"])
            if reply is not None and not reply.done():
                reply.set_result(message)
        elif message["event"] == self._ready_event and not self._ready.done():
            self._ready.set_result(message)
        elif self._on_event is not None:
            self._on_event(message)

    def _ended(self) -> None:
        """Its process has gone: hear its last words, tell those who wait; once."""
        if self._over:
            return
        self._over = True
        self._read()
        self._close()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self._gone("waited for"))
        if not self._ready.done():
            self._ready.set_exception(self._gone(f"waited for to say {self._ready_event!r}"))
            self._ready.exception()  # whoever starts it raises this; nobody starting it any more is no leak
        elif not self._asked and self._on_exit is not None:
            self._on_exit(self)

    def _close_stdin(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._stdin = -1

    def _close(self) -> None:
        self._close_stdin()
        assert self._process is not None
        assert self._process.stdout is not None
        if not self._loop.is_closed():
            self._loop.remove_reader(self._stdout)
        self._process.stdout.close()
        self._stdout = -1

    def _gone(self, when: str) -> LabError:
        if self._process is None:
            how = "has not been started"
        elif (code := self.returncode) is None:
            how = "has closed its control pipe"
        else:
            how = f"has ended (signal {-code})" if code < 0 else f"has ended (exit code {code})"
            if -code in signal.valid_signals():
                how = f"has ended ({signal.strsignal(-code)}, signal {-code})"
        return LabError(self._quoting_log(f"{self.name}: must be alive when {when}, but {how}."))

    def _quoting_log(self, text: str) -> str:
        return f"{text} End of its log:\n{tail}" if (tail := self.log_tail) else f"{text} Its log is empty."
