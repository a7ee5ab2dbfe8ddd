"""Real servers for tests: a PostgreSQL of Debian's package, a Dask scheduler with workers; on free loopback ports."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nlpcourse.paths import project_root


def free_port() -> int:
    """A TCP port of the loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `postgres`, which Debian keeps off the path, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return installed[-1].parent if installed else Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server with an empty database, run by an ordinary user; yields its URL."""
    programs = postgres_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    port = free_port()
    owner: dict[str, object] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    data = folder / "data"
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, **owner}
    subprocess.run(
        [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "course",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ],
        check=True,
        **quiet,
    )
    options = [
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"unix_socket_directories={folder}",
        "-c",
        "fsync=off",
    ]
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), *options], stderr=subprocess.DEVNULL, **quiet
    )
    try:
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert server.poll() is None, "the PostgreSQL server ended"
            time.sleep(0.05)
        url = f"postgresql://course@127.0.0.1:{port}"
        subprocess.run(
            [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "course", "class"], check=True
        )
        yield f"{url}/class"
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder)


@contextlib.contextmanager
def dask_cluster(workers: int, *options: str) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler and workers, each a process; yields the address and the workers."""
    address = f"tcp://127.0.0.1:{free_port()}"
    program = [sys.executable, "-m", "dask"]
    environment = {**os.environ, "PYTHONPATH": str(project_root())}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(
            subprocess.Popen([*program, "scheduler", "--host", address, "--no-dashboard"], **quiet)
        )
        flags = options or ("--no-nanny",)
        for _ in range(workers):
            command = [
                *program,
                "worker",
                address,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--death-timeout",
                "60",
            ]
            started.append(subprocess.Popen([*command, *flags], **quiet))
        _wait_for_workers(address, workers)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
        for process in started:
            process.wait()


def _wait_for_workers(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)
