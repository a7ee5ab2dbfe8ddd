"""The resident pytest session: order, dependence, stand-ins, hints, seeds, and checks that are wrong."""

import os
import random
import re
import textwrap

import numpy as np
import pytest
import torch

from autograder.checks import check
from autograder.grading.session import CheckSession, SessionDied
from autograder.wall.local import local_student
from nlpcourse.errors import CourseError

HEAD = "import pytest, random, torch, numpy as np\nfrom autograder.checks import check\n"


def write(folder, **modules):
    """A folder of check modules {exercise: source}."""
    folder.mkdir(exist_ok=True)
    for exercise, source in modules.items():
        (folder / f"test_{exercise}.py").write_text(HEAD + textwrap.dedent(source))
    return folder


def run(folder, source, exercise="f", stand_ins=None, seed_of=lambda check: 1):
    with local_student(textwrap.dedent(source)) as student:
        return CheckSession(folder).run(exercise, student, seed_of, stand_ins or {})


TWO = '''
    @check(points=2, requires=("f-1", "f-2"))
    def test_first(student, rng):
        """Hint of the
        first."""
        assert student.f(1) == 2

    @check(points=1, requires="f-3", after="test_first")
    def test_second(student, rng):
        """Hint of the second."""
        assert student.f(2) == 4

    @check(points=1, requires="f-4", after="test_second")
    def test_third(student, rng):
        """Hint of the third."""

    @check(points=1, requires="f-4")
    def test_alone(student, rng):
        """Hint of the last."""
        assert student.f(3) == 6
'''


def test_checks_are_read_in_their_order(tmp_path):
    session = CheckSession(write(tmp_path / "checks", f=TWO, g=TWO))
    infos = session.checks("f")
    assert [info.id for info in infos] == ["test_first", "test_second", "test_third", "test_alone"]
    assert infos[0].points == 2
    assert infos[0].requires == ("f-1", "f-2")
    assert infos[1].requires == ("f-3",)
    assert infos[1].after == ("test_first",)
    assert infos[0].hint == "Hint of the first."
    with pytest.raises(CourseError, match="no checks for exercise 'h'; there are checks for f, g"):
        session.checks("h")


def test_all_right(tmp_path, capfd):
    outcomes = run(write(tmp_path / "checks", f=TWO), "def f(x): return 2 * x")
    assert [outcome.status for outcome in outcomes] == ["passed"] * 4
    assert [outcome.earned for outcome in outcomes] == [2, 1, 1, 1]
    assert {outcome.hint for outcome in outcomes} == {""}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("options", ["-k second", "--maxfail=1 --deselect=nothing", "--no-such-option"])
def test_options_of_the_shell_choose_no_checks(tmp_path, monkeypatch, options):
    monkeypatch.setenv("PYTEST_ADDOPTS", options)
    outcomes = run(write(tmp_path / "checks", f=TWO), "def f(x): return 2 * x")
    assert [outcome.status for outcome in outcomes] == ["passed"] * 4
    assert os.environ["PYTEST_ADDOPTS"] == options


def test_what_depends_on_a_failed_check_is_not_tried(tmp_path):
    outcomes = run(write(tmp_path / "checks", f=TWO), "def f(x): return 3 * x")
    assert [outcome.status for outcome in outcomes] == ["failed", "not tried", "not tried", "failed"]
    assert [outcome.earned for outcome in outcomes] == [0, 0, 0, 0]
    assert [outcome.points for outcome in outcomes] == [2, 1, 1, 1]
    assert [outcome.hint for outcome in outcomes] == ["Hint of the first.", "", "", ""]
    assert all(outcome.error is None and outcome.detail == "" for outcome in outcomes)


def test_the_students_error_comes_with_its_check(tmp_path):
    outcomes = run(write(tmp_path / "checks", f=TWO), "def f(x):\n    return 2 * x if x != 2 else x / 0\n")
    assert [outcome.status for outcome in outcomes] == ["passed", "failed", "not tried", "passed"]
    assert outcomes[1].error.kind == "ZeroDivisionError"
    assert outcomes[1].error.line == "return 2 * x if x != 2 else x / 0"
    assert outcomes[1].detail == ""


def test_code_that_was_never_seen_to_run_is_not_judged(tmp_path):
    outcomes = run(write(tmp_path / "checks", f=TWO), "def f(x):\n    return x / 0 if x == 1 else 0\n")
    assert [outcome.status for outcome in outcomes] == ["not tried", "not tried", "not tried", "failed"]
    assert [outcome.hint for outcome in outcomes] == ["", "", "", "Hint of the last."]
    assert outcomes[0].error.kind == "ZeroDivisionError"
    assert sum(outcome.earned for outcome in outcomes) == 0


MORE = '''
    @check(points=1, requires="f-5", after="test_first")
    def test_again(student, rng):
        """Hint of another."""
        assert student.f(5) == 10
'''


def test_one_error_fails_one_check(tmp_path):
    source = """
        def f(x):
            if x == 3:
                return y
            return 2 * x if x == 1 else z
    """
    folder = write(tmp_path / "checks", f=TWO + MORE)
    outcomes = run(folder, source)
    assert [each.status for each in outcomes] == ["passed", "failed", "not tried", "failed", "not tried"]
    assert [each.hint for each in outcomes if each.hint] == ["Hint of the second."]
    assert outcomes[4].error.line == outcomes[1].error.line


def test_a_result_that_cannot_be_read_is_judged(tmp_path):
    outcomes = run(write(tmp_path / "checks", f=TWO), "def f(x): return object()")
    assert outcomes[0].status == "failed"
    assert outcomes[0].error.kind == "Result"
    assert outcomes[0].hint == "Hint of the first."


def test_a_check_may_come_after_several(tmp_path):
    checks = (
        TWO
        + '''
    @check(points=1, requires="f-5", after=("test_first", "test_alone"))
    def test_whole(student, rng):
        """Hint of the whole."""
        assert student.f(5) == 10
    '''
    )
    folder = write(tmp_path / "checks", f=checks)
    assert run(folder, "def f(x): return 2 * x")[-1].status == "passed"
    assert run(folder, "def f(x): return 2 * x if x != 3 else 0")[-1].status == "not tried"
    assert run(folder, "def f(x): return 2 * x if x != 1 else 0")[-1].status == "not tried"


def test_skipping_is_failing(tmp_path):
    checks = '''
        @check(points=1, requires="f-1")
        def test_skip(student, rng):
            """Hint."""
            pytest.skip("not now")

        @check(points=1, requires="f-1")
        def test_xfail(student, rng):
            """Hint."""
            pytest.xfail("known")

        @check(points=1, requires="f-1")
        def test_fail(student, rng):
            """Hint."""
            pytest.fail("no")

        @check(points=1, requires="f-1")
        @pytest.mark.skip
        def test_marked(student, rng):
            """Hint."""
            assert False

        @check(points=1, requires="f-1")
        def test_bug(student, rng):
            """Hint."""
            raise LookupError("a bug of the check")

        @check(points=1, requires="f-1")
        def test_end(student, rng):
            """Hint."""
            raise SystemExit(0)
    '''
    outcomes = run(write(tmp_path / "checks", f=checks), "")
    assert {outcome.status for outcome in outcomes} == {"failed"}
    details = {outcome.id: outcome.detail for outcome in outcomes}
    assert details["test_skip"].startswith("Skipped: not now")
    assert details["test_bug"].startswith("LookupError: a bug of the check (test_f.py:")
    assert details["test_marked"] == ""


NEEDS = '''
    @check(points=1, requires="f-1")
    def test_own(student, rng):
        """Hint of own."""
        assert student.f(2) == 4

    @check(points=1, requires="f-2", after="test_own")
    def test_more(student, rng):
        """Hint of more."""
        assert student.f(3) == 9
'''
STAND_INS = {"power": "builtins:pow"}


def test_a_stand_in_saves_the_points_of_an_exercise(tmp_path):
    folder = write(tmp_path / "checks", f=NEEDS)
    broken = "def power(x, n): raise NotImplementedError\ndef f(x): return power(x, 2)"
    assert [outcome.status for outcome in run(folder, broken)] == ["not tried", "not tried"]
    assert [outcome.status for outcome in run(folder, broken, stand_ins=STAND_INS)] == ["passed", "passed"]


def test_a_stand_in_takes_no_points_away(tmp_path):
    folder = write(tmp_path / "checks", f=NEEDS)
    own = "def power(x): return x * x\ndef f(x): return power(x)"
    assert [outcome.status for outcome in run(folder, own, stand_ins=STAND_INS)] == ["passed", "passed"]


def test_a_fault_of_ones_own_is_no_less_with_a_stand_in(tmp_path):
    wrong = "def power(x, n): raise NotImplementedError\ndef f(x): return power(x, 2) + 1"
    outcomes = run(write(tmp_path / "checks", f=NEEDS), wrong, stand_ins=STAND_INS)
    assert [outcome.status for outcome in outcomes] == ["failed", "not tried"]
    assert outcomes[0].error is None, "the error was that of the dependency, which had a stand-in"


def test_a_student_who_breaks_the_stand_ins_harms_nobody(tmp_path):
    source = "import importlib\nimportlib.import_module = None\ndef f(x): return 0"
    outcomes = run(write(tmp_path / "checks", f=NEEDS), source, stand_ins=STAND_INS)
    assert [outcome.earned for outcome in outcomes] == [0, 0]


DRAWS = '''
    @check(points=1, requires="f-1")
    def test_draws(student, rng):
        """Hint."""
        here = [random.random(), np.random.rand(), torch.rand(1).item(), torch.rand(1, generator=rng).item()]
        raise LookupError(repr([student.f(), here]))
'''


def test_every_generator_is_seeded_before_every_check(tmp_path):
    session = CheckSession(write(tmp_path / "checks", f=DRAWS))
    source = (
        "import random, torch, numpy as np\n"
        "def f(): return [random.random(), float(np.random.rand()), torch.rand(1).item()]"
    )
    seen = []
    for seed in (2**70 + 1, 2**70 + 1, 2**70 + 2):
        random.seed()
        np.random.seed()
        torch.seed()
        with local_student(source) as student:
            student.f()
            seen.append(session.run("f", student, lambda check, seed=seed: seed, {})[0].detail)
    first, again, other = (re.findall(r"0\.\d+", detail) for detail in seen)
    assert len(first) == 7
    assert first == again
    assert not set(first) & set(other)


def test_the_students_side_cannot_make_the_inputs_that_come(tmp_path):
    checks = '''
    @check(points=1, requires="f-1")
    def test_inputs(student, rng):
        """Hint."""
        raise LookupError(repr([student.f(), rng.initial_seed()]))
    '''
    source = "import torch\ndef f(): return [torch.initial_seed()]"
    (outcome,) = run(write(tmp_path / "checks", f=checks), source, seed_of=lambda check: 7)
    there, here = re.findall(r"\d+", outcome.detail)[:2]
    assert here == "7"
    assert there != here


def test_a_second_try_asks_with_other_inputs(tmp_path):
    """A helper that fails once must not have shown what comes when it is lent."""
    checks = '''
    seen = []

    @check(points=1, requires="f-1")
    def test_inputs(student, rng):
        """Hint."""
        seen.append(rng.initial_seed())
        raise LookupError(repr(seen))
    '''
    names = {"helper": "nlpcourse.standins.embeddings:sgns_loss"}
    (outcome,) = run(write(tmp_path / "checks", f=checks), "def f(): pass", stand_ins=names)
    first, second = re.findall(r"\d+", outcome.detail)[:2]
    assert first != second


def test_a_process_that_ends_leaves_the_outcomes_before_it(tmp_path):
    session = CheckSession(write(tmp_path / "checks", f=TWO))
    source = "import os\ndef f(x): return 2 if x == 1 else os._exit(3)"
    with local_student(source) as student, pytest.raises(SessionDied) as died:
        session.run("f", student, lambda check: 1, {})
    assert [outcome.id for outcome in died.value.outcomes] == ["test_first"]
    assert (died.value.check, died.value.reason) == ("test_second", "crash")
    with local_student("def f(x): return 2 * x") as student:
        assert all(outcome.passed for outcome in session.run("f", student, lambda check: 1, {}))


def test_a_check_that_hides_the_end_does_not_pass(tmp_path):
    checks = '''
        @check(points=1, requires="f-1")
        def test_hides(student, rng):
            """Hint."""
            try:
                student.f()
            except Exception:
                pass
    '''
    session = CheckSession(write(tmp_path / "checks", f=checks))
    with local_student("import os\ndef f(): os._exit(0)") as student, pytest.raises(SessionDied):
        session.run("f", student, lambda check: 1, {})


def test_ctrl_c_goes_through_and_the_session_goes_on(tmp_path):
    checks = '''
        @check(points=1, requires="f-1")
        def test_interrupted(student, rng):
            """Hint."""
            if student.f():
                raise KeyboardInterrupt
    '''
    session = CheckSession(write(tmp_path / "checks", f=checks))
    with local_student("def f(): return 1") as student, pytest.raises(KeyboardInterrupt):
        session.run("f", student, lambda check: 1, {})
    with local_student("def f(): return 0") as student:
        assert session.run("f", student, lambda check: 1, {})[0].passed


def test_two_folders_with_modules_of_one_name_stay_apart(tmp_path):
    """A class's pinned checks and the course's own may differ."""
    checks = '''
        @check(points={points}, requires="f-1")
        def test_points(student, rng):
            """Hint."""
            assert student.f() == {points}
    '''
    for points in (1, 2):
        folder = write(tmp_path / f"checks{points}", f=checks.format(points=points))
        (outcome,) = run(folder, f"def f(): return {points}")
        assert (outcome.status, outcome.points) == ("passed", points)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def test_a(student): pass", "test_a is no check; decorate a plain function with @check"),
        ("class TestA:\n    def test_a(self): pass", "test_a is no check"),
        ("import missing_module", "No module named 'missing_module'"),
        ("def broken(:", "SyntaxError"),
        ('@check(points=1, requires="a")\ndef test_a(student): pass', "no docstring"),
        ('@check(points=1.5, requires="a")\ndef test_a(student):\n    """H."""', "points is 1.5"),
        ('@check(points=1, requires=())\ndef test_a(student):\n    """H."""', "requires is ()"),
        (
            '@check(points=1, requires="a", after="test_b")\ndef test_a(student):\n    """H."""',
            "test_a comes after 'test_b', which is no earlier test",
        ),
    ],
)
def test_a_wrong_module_is_refused_at_once(tmp_path, source, sentence):
    with pytest.raises(CourseError) as error:
        CheckSession(write(tmp_path / "checks", f=source))
    assert sentence in str(error.value)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(CourseError, match="no folder of checks at"):
        CheckSession(tmp_path / "nowhere")


def test_a_check_stays_a_plain_function():
    @check(points=1, requires="a-1")
    def test_something(student, rng):
        """Hint."""
        return student

    assert test_something(3, None) == 3


def test_a_notebook_that_breaks_seeding_earns_nothing_by_it(tmp_path):
    """The error of a seeding that fails is none that a check waits for."""
    checks = '''
    from autograder.wall.student import StudentError

    @check(points=1, requires="f-1")
    def test_refuses(student):
        """Hint."""
        with pytest.raises(StudentError, match="^ValueError"):
            student.f(-1)
    '''
    refuses = "def f(x): raise ValueError('no')"
    accepts = "def f(x): return x"
    broken = """
        import random
        def refuse(*arguments): raise ValueError("no")
        random.seed = refuse
        def f(x): return x
    """
    folder = write(tmp_path / "checks", f=checks)
    assert [run(folder, notebook)[0].earned for notebook in (refuses, accepts, broken)] == [1, 0, 0]
