"""Which walls stand on this machine, found by trying them."""

import asyncio
import functools
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.sandbox.limits import MIB, Limits
from nlpcourse.doctor import Finding
from nlpcourse.errors import CourseError

#: Without these areas covered nothing is graded.
NEEDED = ("files", "network", "processes")
ADVICE = (
    "grade on Linux 5.13 or later, as root or where user namespaces are allowed (sysctl "
    "kernel.apparmor_restrict_unprivileged_userns=0; a container needs --privileged or the like)"
)


@dataclass(frozen=True)
class Layer:
    """One wall."""

    name: str
    covers: str
    """The area it protects: files, network, processes or resources."""
    live: bool
    detail: str
    """What was tried, or what went wrong."""
    optional: bool = False
    """A second wall: its area counts as covered without it."""


#: name, area, key of the trial, what a good trial shows, optional
WALLS = (
    ("private root", "files", "files", "only the system, Python and the public package can be seen", False),
    ("landlock", "files", "landlock", "a second fence around files, signals and abstract sockets", True),
    ("network namespace", "network", "interfaces", "no interface but a dead loopback", False),
    ("socket filter", "network", "sockets", "no socket but Unix sockets", False),
    ("process namespace", "processes", "processes", "no other process can be seen or signalled", False),
    ("system-call filter", "processes", "calls", "mount, ptrace, namespaces, bpf, ... are refused", False),
    (
        "no privileges",
        "processes",
        "privileges",
        "no capability, and none to be gained",
        False,
    ),
    ("process limit", "resources", "forks", "forking comes to an end", False),
    ("small disk", "resources", "disk", "a file system of its own, limited in bytes and files", False),
    ("control group", "resources", "group", "the system's own account of memory and tasks", True),
    ("watch", "resources", "watch", "CPU time and memory of everything inside are measured", False),
)


@functools.cache
def layers() -> tuple[Layer, ...]:
    """All walls. Tried once in a process; takes about 0.2 s."""
    if not sys.platform.startswith("linux"):
        why = f"there is no sandbox on {sys.platform}"
        return tuple(Layer(name, area, False, why, optional) for name, area, _, _, optional in WALLS)
    found = try_walls()
    return tuple(
        Layer(name, area, not found[key], found[key] or shows, optional)
        for name, area, key, shows, optional in WALLS
    )


def try_walls() -> dict[str, str]:
    """For each trial "" when the wall held, else what went wrong."""
    from autograder.sandbox import cgroup, gate, seccomp

    keys = [key for _, _, key, _, _ in WALLS]
    if not seccomp.supported():
        return dict.fromkeys(keys, "the system-call filter knows x86_64 and aarch64 only")
    limits = replace(Limits(), scratch_bytes=MIB, processes=16)
    folder = gate.runtime_folder()
    hidden = Path(__file__).resolve().parents[1]
    try:
        answers: dict[str, Any] = gate.probe(
            {"hidden": [str(hidden), str(hidden.parent / "solutions"), str(Path.cwd() / "gradebook.db")]},
            gate.jail_settings(folder, limits),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    alone, inside = answers.get("alone", {}), answers.get("inside")
    group = cgroup.create(limits)
    if group is not None:
        group.remove()
    outside = {"group": "" if group else "this user may not make one; the watch does its work"}
    if inside is not None:
        return inside | outside | {"landlock": alone["landlock"], "watch": answers["watch"]}
    whole = answers.get("error", "the trial ended without an answer")
    culprits = {"files": "mount", "interfaces": "network", "processes": "process", "calls": "seccomp"}
    found = {key: alone.get(culprits.get(key, ""), "") or whole for key in keys}
    return found | outside | {"landlock": alone.get("landlock", whole)}


def require() -> None:
    """Make sure that files, network and processes are covered.

    Raises:
        CourseError: they are not; the message names the walls that are missing and what to do.
    """
    missing = [each for each in layers() if each.covers in NEEDED and not each.live and not each.optional]
    if missing:
        named = "; ".join(f"{each.name} ({each.covers}): {each.detail}" for each in missing)
        raise CourseError(f"no sandbox for students' code here: {named}. Do this instead: {ADVICE}")


def findings() -> list[Finding]:
    """One line for the doctor about each wall, and one about how kernels start."""
    walls = [
        Finding(
            f"sandbox: {each.name}",
            True if each.live else None if each.optional else False,
            each.detail if each.live else f"{each.detail}; {each.covers} are not covered, {ADVICE}",
        )
        for each in layers()
    ]
    try:
        require()
    except CourseError:
        return walls
    return [*walls, asyncio.run(warmth())]


async def warmth() -> Finding:
    """How long a kernel takes to start here, and from what; takes some seconds."""
    from autograder.sandbox import warm
    from autograder.sandbox.gate import Forked
    from autograder.sandbox.kernel import SandboxedKernel

    name = "sandbox: warm kernels"
    for _ in range(2):  # the first waits for the template
        began = time.perf_counter()
        async with SandboxedKernel() as kernel:
            took = time.perf_counter() - began
            forked = kernel.gate is not None and isinstance(kernel.gate.process, Forked)
    if forked:
        return Finding(name, True, f"a kernel is forked from a template, {1000 * took:.0f} ms each")
    return Finding(name, None, f"every kernel starts cold, {took:.1f} s each: {warm.why_cold()}")
