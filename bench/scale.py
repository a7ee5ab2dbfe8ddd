"""A large class graded once undisturbed, and once with its processes killed at random; both must end the same.

    python bench/scale.py [--students 1000] [--workers 2] [--kills 20] [--seed 1] [--json FILE]

The first run gives the rate and the largest memory of the coordinator, its workers and their kernels together. The
second sends SIGKILL to a worker and then to the coordinator, at moments that the seed decides, and starts the same
command again until it is done. It must have lost nothing, written no record twice, and given the scores of the first.
Last, the gradebook is deleted and made again from the records. The command ends with an error when any of this fails.
"""

import argparse
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from grading import answered, hand_in

from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom
from autograder.classroom.init import init
from autograder.classroom.release import release
from autograder.classroom.sample import TOPIC
from autograder.classroom.standing import Entry, read_entries
from autograder.grading.record import Record
from nlpcourse.files import write_atomically
from nlpcourse.paths import project_root

#: How long a killed coordinator's processes may take to follow it.
FOLLOW_SECONDS = 30
#: A kill waits for some records, and then up to this long, so that it meets every step of the next ones.
DELAY_SECONDS = 0.2


@dataclass
class Scale:
    """A class and a topic in it, and how it is graded."""

    classroom: Classroom
    topic: str
    workers: int

    def start(self) -> subprocess.Popen[str]:
        """`nlpcourse grade`, begun."""
        arguments = ["grade", self.topic, "--class", str(self.classroom.root), "--workers", str(self.workers)]
        return subprocess.Popen(
            [sys.executable, "-m", "nlpcourse.cli", *arguments],
            cwd=project_root(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> str:
        """`nlpcourse grade` from its begin to its end; what it printed."""
        with self.start() as running:
            printed, _ = running.communicate()
        if running.returncode != 0:
            raise SystemExit(f"grading failed:\n{printed[-3000:]}")
        return printed

    def written(self) -> dict[Path, int]:
        """The records, with the time each was written."""
        folder = self.classroom.root / "results" / self.topic
        return {path: path.stat().st_mtime_ns for path in sorted(folder.glob("*.json"))}

    def gradebook(self) -> dict[str, Entry]:
        """All that the gradebook holds of the topic."""
        return read_entries(course_directory(load_config(self.classroom)), self.topic)

    def forget(self) -> None:
        """Back to a class that was not graded yet."""
        for name in ("results", "autograded"):
            shutil.rmtree(self.classroom.root / name, ignore_errors=True)
        (self.classroom.root / "results").mkdir()
        self.lose_gradebook()

    def lose_gradebook(self) -> None:
        (self.classroom.root / "gradebook.db").unlink()

    def check(self) -> None:
        """Raise AssertionError unless every submission has a record of its bytes, and the gradebook says the same."""
        entries = self.gradebook()
        for student in self.classroom.students(self.topic):
            record = Record.from_json(self.classroom.record(student, self.topic).read_bytes())
            submission = self.classroom.submission(student, self.topic).read_bytes()
            assert record.hashes.submission == hashlib.sha256(submission).hexdigest(), student
            assert record.status == "graded", f"{student}: {record.reason}"
            told = {f"{each.id}-check": each.score for each in record.exercises}
            found = {name: cell.auto for name, cell in entries[student].cells.items() if name in told}
            assert found == told, f"{student}: {found} in the gradebook, {told} in the record"


@dataclass
class Memory:
    """The largest memory of a process and its descendants; what they share is counted once where the system says it."""

    peak: int = 0
    """Bytes."""
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self, process: psutil.Process, seconds: float = 1.0) -> None:
        """Look every so often until `end`."""
        while not self._over.wait(seconds):
            self.peak = max(self.peak, sum(_memory(each) for each in _family(process)))

    def end(self) -> None:
        self._over.set()


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0


def undisturbed(scale: Scale) -> tuple[float, int]:
    """Grade all in one go.

    Returns:
        Submissions a minute of wall time, and the largest memory in bytes.
    """
    memory, start = Memory(), time.monotonic()
    with scale.start() as running:
        watcher = threading.Thread(target=memory.watch, args=(psutil.Process(running.pid),))
        watcher.start()
        printed, _ = running.communicate()
        seconds = time.monotonic() - start
        memory.end()
        watcher.join()
    if running.returncode != 0:
        raise SystemExit(f"grading failed:\n{printed[-3000:]}")
    scale.check()
    return 60 * len(scale.written()) / seconds, memory.peak


def killed(scale: Scale, kills: int, rng: random.Random) -> Iterator[int]:
    """Grade with `kills` coordinators killed, a worker before each; yields the records there after each life.

    Raises:
        AssertionError: a process outlived its coordinator, a record was lost or written twice, or scores are missing.
    """
    kept: dict[Path, int] = {}
    step = 1 + len(scale.classroom.students(scale.topic)) // (kills + 1)
    for _ in range(kills):
        with scale.start() as running:
            coordinator = psutil.Process(running.pid)
            for victim in (_worker, lambda process: process):
                _wait(
                    scale, running, len(scale.written()) + rng.randrange(step), rng.uniform(0, DELAY_SECONDS)
                )
                family = _family(coordinator)
                _kill(victim(coordinator) if family else None)
            running.communicate()
        _, alive = psutil.wait_procs(family, timeout=FOLLOW_SECONDS)
        assert not alive, f"{alive} outlived the coordinator"
        kept = _kept(scale, kept)
        yield len(kept)
    scale.finish()
    yield len(_kept(scale, kept))
    scale.check()


def _wait(scale: Scale, running: subprocess.Popen[str], records: int, seconds: float) -> None:
    """Until so many records are there and some more time has gone by, or the process ended."""
    while running.poll() is None and len(scale.written()) < records:
        time.sleep(0.01)
    time.sleep(seconds)


def _worker(coordinator: psutil.Process) -> psutil.Process | None:
    """One of the coordinator's workers, when it has any."""
    try:
        children = coordinator.children()
        return next((each for each in children if "multiprocessing.spawn" in " ".join(each.cmdline())), None)
    except psutil.Error:
        return None


def _kill(process: psutil.Process | None) -> None:
    if process is not None and process.is_running():
        process.send_signal(signal.SIGKILL)


def _kept(scale: Scale, before: dict[Path, int]) -> dict[Path, int]:
    """The records now; those from before must be there, untouched."""
    now = scale.written()
    for path, moment in before.items():
        assert path in now, f"{path.name} was lost"
        assert now[path] == moment, f"{path.name} was written twice"
    return now


def rebuilt(scale: Scale) -> None:
    """Delete the gradebook and make it again from the records.

    Raises:
        AssertionError: a submission was graded again, or the new gradebook is not the old one.
    """
    records, before = scale.written(), scale.gradebook()
    scale.lose_gradebook()
    printed = scale.finish()
    assert f"0 graded, {len(records)} were graded already" in printed, printed
    assert scale.written() == records
    assert scale.gradebook() == before


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        classroom = init(Path(scratch) / "class")
        release(classroom, TOPIC, root=project_root())
        hand_in(classroom, answered(classroom.release(TOPIC), options.students))
        scale = Scale(classroom, TOPIC, options.workers)
        rate, memory = undisturbed(scale)
        print(f"undisturbed: {rate:.1f} submissions/min, at most {memory / 2**30:.2f} GiB", flush=True)
        expected = scale.gradebook()
        scale.forget()
        counts = []
        for records in killed(scale, options.kills, random.Random(options.seed)):
            counts.append(records)
            print(f"killed: {records} of {options.students} records", flush=True)
        assert scale.gradebook() == expected, "the kills changed the scores"
        rebuild = _seconds(lambda: rebuilt(scale))
        print(f"the same scores; the gradebook made again in {rebuild:.0f} s is the same", flush=True)
    if options.json:
        figures = {
            "students": options.students,
            "workers": options.workers,
            "submissions a minute": round(rate, 1),
            "largest memory, GiB": round(memory / 2**30, 3),
            "seed": options.seed,
            "records after each kill": counts,
            "gradebook made again, s": round(rebuild, 1),
        }
        write_atomically(options.json, json.dumps(figures, indent=1) + "\n")


def _seconds(action: Callable[[], None]) -> float:
    start = time.monotonic()
    action()
    return time.monotonic() - start


if __name__ == "__main__":
    main()
