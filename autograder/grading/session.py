"""One resident pytest session: collects a folder of checks once, then runs each in well under a millisecond.

A `pytest.main` for each graded cell would cost a quarter of a second. The session is pytest's own
(collection, fixtures, set-up and teardown); only its terminal, its plugins and its reports are left out.
"""

import contextlib
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from _pytest.config import _prepareconfig
from _pytest.pathlib import CouldNotResolvePathError, resolve_pkg_root_and_module_name
from _pytest.runner import CallInfo, runtestprotocol

from autograder.checks import Declaration
from autograder.grading.seeds import derived
from autograder.wall.student import Student, StudentDied, StudentError
from nlpcourse.errors import CourseError

_WITHOUT = (
    "assertion", "cacheprovider", "capture", "debugging", "doctest", "faulthandler", "junitxml", "legacypath",
    "logging", "pastebin", "recwarn", "setuponly", "setupplan", "skipping", "stepwise", "subtests",
    "terminal", "threadexception", "unittest", "unraisableexception", "warnings",
)  # fmt: skip
_DETAIL_LENGTH = 500


@dataclass(frozen=True)
class CheckInfo:
    """One check of an exercise, as its module declares it."""

    id: str
    points: int
    requires: tuple[str, ...]
    after: tuple[str, ...]
    hint: str


@dataclass(frozen=True)
class CheckOutcome:
    """What one check gave."""

    id: str
    status: str
    """`passed`, `failed` or `not tried`; the last also when an error that tells nothing of the check came first."""
    points: int
    earned: int
    hint: str
    """For the student: set on the first failed check only."""
    error: StudentError | None = None
    """What the student's code raised, where that is why the check did not pass."""
    detail: str = ""
    """For the instructor: an exception in the check that is no failed comparison and no StudentError."""

    @property
    def passed(self) -> bool:
        return self.status == "passed"


class SessionDied(Exception):
    """The student's process ended during a check.

    Attributes:
        outcomes: the checks before it.
        check: id of the check during which it ended.
        reason: "timeout", "crash", "memory" or "interrupted".
        sentence: the same for the student.
    """

    def __init__(self, outcomes: list[CheckOutcome], check: str, died: StudentDied) -> None:
        super().__init__(check, died.reason)
        self.outcomes, self.check, self.reason, self.sentence = outcomes, check, died.reason, died.sentence

    def __str__(self) -> str:
        return f"{self.check}: {self.sentence}"


class CheckSession:
    """The checks of one topic.

    Args:
        folder: holds `test_<exercise>.py`, one module an exercise.

    Raises:
        CourseError: the folder is missing, a module does not import, or a test is no proper check.
    """

    def __init__(self, folder: Path) -> None:
        folder = Path(folder).resolve()
        if not folder.is_dir():
            raise CourseError(f"no folder of checks at {folder}; expected test_<exercise>.py modules there")
        _forget_others(folder)
        self._plugin = _Plugin()
        with _no_options_from_outside():
            self._config = _prepareconfig(_arguments(folder), [self._plugin])
        self._config._do_configure()
        self._session = pytest.Session.from_config(self._config)
        self._config.hook.pytest_sessionstart(session=self._session)
        items = self._session.perform_collect()
        if self._plugin.collection_error:
            raise CourseError(f"{folder}: {self._plugin.collection_error}; mend the check module")
        self._items: dict[str, dict[str, pytest.Item]] = {}
        for item in items:
            exercise = item.path.stem.removeprefix("test_")
            self._items.setdefault(exercise, {})[item.name] = item
        self._checks = {exercise: _checks(exercise, found) for exercise, found in self._items.items()}

    def checks(self, exercise: str) -> tuple[CheckInfo, ...]:
        """The checks of an exercise, in the order of its module.

        Raises:
            CourseError: there is no module for it.
        """
        if exercise not in self._checks:
            known = ", ".join(sorted(self._checks)) or "none"
            raise CourseError(f"no checks for exercise {exercise!r}; there are checks for {known}")
        return self._checks[exercise]

    def run(
        self, exercise: str, student: Student, seed_of: Callable[[str], int], stand_ins: dict[str, str]
    ) -> list[CheckOutcome]:
        """Run every check of an exercise.

        Args:
            exercise: its id.
            student: what the notebook defines.
            seed_of: the seed of a check id.
            stand_ins: {name of a dependency: "module:object"}; a check that fails with the student's own
                dependencies runs again with these, and the better result counts.

        Raises:
            SessionDied: the student's process ended; carries the outcomes so far.
        """
        try:
            return self._run(exercise, student, seed_of, stand_ins)
        finally:
            self._session._setupstate.teardown_exact(None)

    def _run(
        self, exercise: str, student: Student, seed_of: Callable[[str], int], stand_ins: dict[str, str]
    ) -> list[CheckOutcome]:
        outcomes: list[CheckOutcome] = []
        passed: set[str] = set()
        hinted = False
        for info in self.checks(exercise):
            if not passed.issuperset(info.after):
                outcomes.append(CheckOutcome(info.id, "not tried", info.points, 0, ""))
                continue
            try:
                failure = self._try(exercise, info.id, student, seed_of(info.id))
                if failure is not None and stand_ins:
                    failure = self._try_with(stand_ins, exercise, info.id, student, seed_of(info.id))
            except StudentDied as died:
                raise SessionDied(outcomes, info.id, died) from died
            if failure is None:
                passed.add(info.id)
                outcomes.append(CheckOutcome(info.id, "passed", info.points, info.points, ""))
                continue
            error = failure if isinstance(failure, StudentError) else None
            if error is not None and _says_nothing(error, outcomes):
                outcomes.append(CheckOutcome(info.id, "not tried", info.points, 0, "", error))
                continue
            hint = "" if hinted else info.hint
            hinted = True
            outcomes.append(CheckOutcome(info.id, "failed", info.points, 0, hint, error, _detail(failure)))
        return outcomes

    def _try_with(
        self, stand_ins: dict[str, str], exercise: str, check: str, student: Student, seed: int
    ) -> BaseException | None:
        """`_try` with stand-ins, on other inputs than the notebook has seen already.

        A student who breaks the exchange itself has failed and harms nobody.
        """
        try:
            with student.stand_ins(stand_ins):
                return self._try(exercise, check, student, derived(seed, "with stand-ins"))
        except StudentError as error:
            return error

    def _try(self, exercise: str, check: str, student: Student, seed: int) -> BaseException | None:
        """Run one check once; what it raised, or None. What its module was set up with stays for the next check.

        The student's side gets a seed of its own: with the one of `rng` it could make the inputs that are yet to come.
        """
        try:
            student.seed(derived(seed, "kernel"))
        except StudentError as error:
            return error
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.default_generator.manual_seed(seed % 2**63)
        self._plugin.begin(student, seed)
        item = self._items[exercise][check]
        try:
            runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]  # only its parents count
        finally:
            raised = self._plugin.end()
        if student.died is not None:
            raise student.died
        return raised


class _Plugin:
    """Fixtures of the checks, and the reports kept as bare exceptions."""

    def __init__(self) -> None:
        self.collection_error = ""
        self.current: Student | None = None
        self.seed = 0
        self.raised: BaseException | None = None

    def begin(self, student: Student, seed: int) -> None:
        self.current, self.seed, self.raised = student, seed, None

    def end(self) -> BaseException | None:
        raised, self.current, self.raised = self.raised, None, None
        return raised

    @pytest.fixture(name="student")
    def the_student(self) -> Student | None:
        return self.current

    @pytest.fixture
    def rng(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed % 2**63)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed and not self.collection_error:
            self.collection_error = f"{report.nodeid or 'collection'}: {_last_line(report.longreprtext)}"

    def pytest_runtest_makereport(self, item: pytest.Item, call: CallInfo[None]) -> pytest.TestReport:
        """In place of pytest's own, which renders tracebacks that nobody reads."""
        if call.excinfo is not None and self.raised is None:
            self.raised = call.excinfo.value
        outcome = "passed" if call.excinfo is None else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)  # type: ignore


def _forget_others(folder: Path) -> None:
    """Unload check modules of the same name from another folder, such as another class's pinned copy."""
    for path in folder.glob("test_*.py"):
        names = {path.stem}
        with contextlib.suppress(CouldNotResolvePathError):
            names.add(resolve_pkg_root_and_module_name(path)[1])
        for name in names & sys.modules.keys():
            if getattr(sys.modules[name], "__file__", None) != str(path):
                del sys.modules[name]


@contextlib.contextmanager
def _no_options_from_outside() -> Iterator[None]:
    """What a shell has set for its own runs of pytest must not choose among the checks."""
    options = {
        name: os.environ.pop(name) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS") if name in os.environ
    }
    try:
        yield
    finally:
        os.environ.update(options)


def _arguments(folder: Path) -> list[str]:
    without = [part for name in _WITHOUT for part in ("-p", f"no:{name}")]
    return [
        str(folder), f"--rootdir={folder}", "-c", os.devnull, "--noconftest", "--import-mode=importlib",
        "--disable-plugin-autoload", "-o", "python_files=test_*.py", *without,
    ]  # fmt: skip


def _checks(exercise: str, items: dict[str, pytest.Item]) -> tuple[CheckInfo, ...]:
    """The declarations of a module's tests, each `after` naming an earlier test."""
    found: list[CheckInfo] = []
    for name, item in items.items():
        declaration = getattr(getattr(item, "function", None), "declaration", None)
        if not isinstance(declaration, Declaration) or not name.isidentifier():
            raise CourseError(
                f"test_{exercise}.py: {name} is no check; decorate a plain function with @check(...)"
            )
        for after in declaration.after:
            if after not in {earlier.id for earlier in found}:
                raise CourseError(
                    f"test_{exercise}.py: {name} comes after {after!r}, which is no earlier test of the module"
                )
        found.append(
            CheckInfo(name, declaration.points, declaration.requires, declaration.after, declaration.hint)
        )
    return tuple(found)


def _says_nothing(error: StudentError, outcomes: list[CheckOutcome]) -> bool:
    """Whether an error tells nothing about what its check looks at.

    So it is when the code was never seen to run, and when it stopped in the same way before. What a function gives is
    another matter: a check that cannot read its result has judged it.
    """
    if error.kind == "Result":
        return False
    seen = [outcome.error for outcome in outcomes if outcome.error is not None]
    again = any(
        (error.kind, error.line or error.message, error.number)
        == (other.kind, other.line or other.message, other.number)
        for other in seen
    )
    return again or not any(outcome.passed for outcome in outcomes)


def _detail(failure: BaseException) -> str:
    """Type, message and place of an exception that no check should raise; "" for one that it should."""
    if isinstance(failure, (AssertionError, StudentError)):
        return ""
    frames = traceback.extract_tb(failure.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(failure).__name__}: {failure}"[:_DETAIL_LENGTH] + place


def _last_line(text: str) -> str:
    lines = [line.removeprefix("E").strip() for line in text.splitlines() if line.startswith("E ")] or [
        text.strip()
    ]
    return " ".join(lines)[:_DETAIL_LENGTH]
