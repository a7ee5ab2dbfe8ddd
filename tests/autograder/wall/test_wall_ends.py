"""How an exchange ends: crashes, limits, interrupts, and answers that make no sense."""

import os
import signal
import socket
import threading

import pytest

from autograder.wall import wire
from autograder.wall.local import local_student
from autograder.wall.student import Student, StudentDied, StudentError


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import os; os._exit(0)", "crash"),
        ("import os; os.abort()", "crash"),
        ("import os; os.kill(os.getpid(), 11)", "crash"),
        ("import ctypes; ctypes.string_at(0)", "crash"),
        ("import os; os.closerange(3, 256)", "crash"),
        ("while True: pass", "timeout"),
    ],
)
def test_a_process_that_ends_is_reported_once_and_for_all(body, reason):
    with local_student(f"def f():\n    {body}\ndef g(): return 1", cpu_seconds=1) as student:
        assert student.died is None
        with pytest.raises(StudentDied) as died:
            student.f()
        assert died.value.reason == reason
        assert str(died.value)
        with pytest.raises(StudentDied):
            student.g()
        assert student.died.reason == reason


@pytest.mark.parametrize(
    "name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "MemoryError", "RecursionError"]
)
def test_any_exception_is_an_error_and_no_end(name):
    with local_student(f"def f(): raise {name}\ndef g(): return 1") as student:
        with pytest.raises(StudentError, match=name):
            student.f()
        assert student.g() == 1


def test_an_interrupt_stops_the_call_only():
    source = (
        "import os, signal, time\ndef f():\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(60)\n"
    )
    with local_student(source) as student:
        with pytest.raises(StudentError, match="KeyboardInterrupt"):
            student.f()
        assert student.defined("f")


def test_the_reason_of_the_watcher_is_passed_on():
    here, there = socket.socketpair()
    reasons = iter([None, None, "memory"])
    student = Student(here, alive=lambda: next(reasons))
    with pytest.raises(StudentDied) as died:
        student.f()
    assert died.value.reason == "memory"
    there.close()


def test_a_trickle_does_not_hide_a_limit():
    here, there = socket.socketpair()
    asked = []
    stopped = threading.Event()

    def alive():
        asked.append(1)
        return "timeout" if len(asked) > 3 else None

    def drip():
        header = wire._HEADER.pack(wire._MAGIC, 1000, 0)
        there.sendall(header)
        while not stopped.wait(0.005):
            there.sendall(b" ")

    sender = threading.Thread(target=drip)
    sender.start()
    try:
        with pytest.raises(StudentDied) as died:
            Student(here, alive=alive).f()
    finally:
        stopped.set()
        sender.join()
    assert died.value.reason == "timeout"


def test_an_interrupted_question_leaves_no_answer_behind():
    """Ctrl-C at the grader: what comes later must not be taken for the answer to another question."""
    with local_student("import time\ndef f(): time.sleep(60)\ndef g(): return 1") as student:
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(KeyboardInterrupt):
                student.f()
        finally:
            signal.signal(signal.SIGALRM, before)
        assert student.died.reason == "interrupted"
        with pytest.raises(StudentDied):
            student.g()


@pytest.mark.parametrize(
    "reply",
    [
        {"number": 2, "value": "to another question"},
        {"value": "to none"},
        {"number": 1, "error": "no list"},
        {"number": 1, "error": ["three", "fields", "only"]},
        {"number": 1, "value": ["handle", "1", "x"]},
        {"number": 1, "value": ["handle", 1]},
        {"number": 1},
    ],
    ids=str,
)
def test_a_reply_that_makes_no_sense_ends_the_exchange(reply):
    here, there = socket.socketpair()
    there.sendall(wire.frame(reply, []))
    student = Student(here)
    if reply == {"number": 1}:
        assert student.f() is None
        return
    with pytest.raises(StudentDied, match="an answer that cannot be read") as died:
        student.f()
    assert died.value.reason == "crash"


@pytest.mark.parametrize("failure", [RecursionError, ValueError, AttributeError, MemoryError])
def test_whatever_a_reply_sets_off_is_never_called_an_interruption(monkeypatch, failure):
    """An interrupted submission is graded again; a student must not be able to ask for that."""

    def fail(*arguments):
        raise failure("in reading the reply")

    here, there = socket.socketpair()
    there.sendall(wire.frame({"number": 1, "value": 1}, []))
    student = Student(here)
    monkeypatch.setattr(wire, "decode", fail)
    with pytest.raises(StudentDied, match="an answer that cannot be read") as died:
        student.f()
    assert died.value.reason == student.died.reason == "crash"


def test_an_error_is_made_of_plain_clean_text():
    here, there = socket.socketpair()
    for number, fields in enumerate(
        (["K\n", {"a": 1}, ["x"], -5], [None, "m", "l", 10**12], ["", "", "", True]), 1
    ):
        there.sendall(wire.frame({"number": number, "error": fields}, []))
    student = Student(here)
    expected = [("K", "", "", 0), ("Exception", "m", "l", 0), ("Exception", "", "", 0)]
    for kind, message, line, number in expected:
        with pytest.raises(StudentError) as caught:
            student.f()
        error = caught.value
        assert (error.kind, error.message, error.line, error.number) == (kind, message, line, number)


def test_no_child_is_left_behind():
    with local_student("def f(): return __import__('os').getpid()") as student:
        child = student.f()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
