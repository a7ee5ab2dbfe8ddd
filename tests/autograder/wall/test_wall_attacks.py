"""Attacks on the wall itself, each on a wrong solution: none gains a point, and none reaches the grader.

The numbers in the names are those of the list of attacks that grading must survive.
"""

import inspect
import textwrap

import pytest
import torch

from autograder.grading.session import CheckSession, SessionDied
from autograder.wall.local import local_student

CHECKS = '''
import torch
from autograder.checks import check

def reference(x):
    return torch.softmax(x, dim=-1)

@check(points=3, requires="f-1")
def test_values(student, rng):
    """The values are wrong."""
    for size in (3, 5):
        x = torch.randn(2, size, generator=rng)
        torch.testing.assert_close(student.f(x), reference(x))

@check(points=2, requires="f-2")
def test_rows(student, rng):
    """A row does not sum to one."""
    x = torch.randn(2, 3, generator=rng)
    assert torch.equal(student.f(x).argmax(-1), reference(x).argmax(-1))
    assert abs(float(student.f(x).sum()) - 2) < 1e-5

@check(points=1, requires="f-3")
def test_count(student, rng):
    """The number is wrong."""
    x = torch.randn(7, 3, generator=rng)
    assert student.count(x) == 7
    assert student.names(x) == ["a", "b"]
'''


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "test_attacked.py").write_text(CHECKS)
    return CheckSession(folder)


def seed_of(check):
    return sum(map(ord, check))


def earned(session, source):
    """Points that a notebook gets; one whose process ends keeps those that it had."""
    with local_student(textwrap.dedent(source), cpu_seconds=10) as student:
        try:
            outcomes = session.run("attacked", student, seed_of, {})
        except SessionDied as died:
            outcomes = died.outcomes
    return sum(outcome.earned for outcome in outcomes)


HONEST = """
    import torch
    def f(x): return torch.softmax(x, dim=-1)
    def count(x): return len(x)
    def names(x): return ["a", "b"]
"""


def test_the_honest_classmate_gets_every_point(session):
    assert earned(session, HONEST) == 6


#: What pretends to be any answer: comparisons, arithmetic and conversions all say what one likes to hear.
TRICKS = """
    import torch, numpy as np

    def always(*args, **kwargs):
        return True

    def itself(self, *args, **kwargs):
        return self

    YES = "__eq__ __bool__ __lt__ __le__ __contains__ allclose equal".split()
    SAME = "__abs__ __sub__ __rsub__ __getitem__ argmax sum __round__".split()
    METHODS = dict.fromkeys(YES, always) | dict.fromkeys(SAME, itself)
    METHODS |= {"__hash__": lambda self: 0, "__ne__": lambda self, other: False}
    METHODS |= {"__reduce__": lambda self: (print, ())}
    METHODS |= {"__array__": lambda self, *args, **kwargs: np.zeros(())}
    METHODS |= {"__torch_function__": classmethod(lambda cls, *args, **kwargs: True)}
    METHODS |= {"__instancecheck__": always, "__class__": property(lambda self: torch.Tensor)}

    def trick(base, *args):
        return type("Trick", (base,), dict(METHODS))(*args)
"""
TRICK_ANSWERS = {
    "object": "trick(object)",
    "float": "trick(float, 7.0)",
    "int": "trick(int, 8)",
    "str": "trick(str, 'a')",
    "list": "trick(list, [1])",
    "dict": "trick(dict)",
    "tuple": "trick(tuple, (1,))",
    "tensor": "torch.zeros(x.shape).as_subclass(type('Trick', (torch.Tensor,), METHODS))",
    "parameter": "type('Trick', (torch.nn.Parameter,), METHODS)(torch.zeros(x.shape))",
    "array": "np.zeros(x.shape).view(type('Trick', (np.ndarray,), METHODS))",
    "list of tricks": "[trick(object)] * 7",
    "module": "type('Trick', (torch.nn.Module,), {'__eq__': always, '__len__': lambda self: 7})()",
    "class": "type('Trick', (type,), METHODS)('Trick', (), {})",
    "function": "always",
}


@pytest.mark.parametrize("answer", TRICK_ANSWERS.values(), ids=TRICK_ANSWERS)
def test_10_trick_objects(session, answer):
    answers = "\n".join(f"def {name}(x): return {answer}" for name in ("f", "count", "names"))
    assert earned(session, textwrap.dedent(TRICKS) + answers) == 0


WRONG = """
    def f(x): return x * 0
    def count(x): return -1
    def names(x): return []
"""

PATCHES = {
    "torch": """
        import torch
        yes = lambda *args, **kwargs: True
        for place in (torch, torch.Tensor, torch.testing):
            for name in ("allclose", "equal", "isclose", "assert_close", "eq", "__eq__"):
                setattr(place, name, yes)
    """,
    "numpy and math": """
        import math, numpy
        yes = lambda *args, **kwargs: True
        math.isclose = numpy.allclose = numpy.array_equal = numpy.isclose = yes
        numpy.testing.assert_allclose = numpy.testing.assert_array_equal = yes
    """,
    "builtins": """
        import builtins
        yes = lambda *args, **kwargs: True
        builtins.abs = lambda x: 0.0
        builtins.all = builtins.any = builtins.bool = yes
        builtins.AssertionError = type("Never", (Exception,), {})
    """,
    "pytest": """
        import sys, types
        pytest = types.ModuleType("pytest")
        pytest.raises = pytest.approx = lambda *args, **kwargs: True
        sys.modules["pytest"] = sys.modules["_pytest"] = sys.modules["_pytest.runner"] = pytest
    """,
    "the grader's modules": """
        import sys
        for name, module in list(sys.modules.items()):
            if name.startswith("autograder"):
                for each in ("CheckSession", "check", "StudentError", "decode", "receive"):
                    if hasattr(module, each):
                        setattr(module, each, lambda *args, **kwargs: True)
    """,
    "json": """
        import json
        json.dumps = lambda *args, **kwargs: '{"number": 1, "value": true, "passed": true}'
    """,
    "the agent": """
        import gc
        for each in gc.get_objects():
            if type(each).__name__ == "Agent":
                each._perform = lambda operation, fields: True
    """,
    "the agent's errors": """
        import gc
        for each in gc.get_objects():
            if type(each).__name__ == "Agent":
                each._describe = lambda error: ["passed", {"points": 3}, [1], "all"]
        def f(x): raise ValueError
        count = names = f
    """,
    "seeding": """
        import random
        def no(*args): raise SystemExit("passed")
        random.seed = no
    """,
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_11_patched_comparisons(session, patch):
    wrong = textwrap.dedent(WRONG) + textwrap.dedent(patch)
    assert earned(session, wrong) == 0


def test_33_payloads_are_never_unpickled(session, tmp_path):
    mark = tmp_path / "opened"
    source = f"""
        import io, pickle, torch
        class Payload:
            def __reduce__(self):
                return open, ({str(mark)!r}, "w")
        saved = io.BytesIO()
        torch.save(Payload(), saved)
        ANSWERS = iter([Payload(), pickle.dumps(Payload()), saved.getvalue(), [Payload()] * 7] * 3)
        def f(x): return next(ANSWERS)
        count = names = f
    """
    assert earned(session, source) == 0
    assert not mark.exists()


def test_33_forged_frames(session, tmp_path):
    """The student writes the answers to the channel by hand, in every kind that might be believed."""
    mark = tmp_path / "opened"
    source = f"""
        import gc, json, pickle, struct
        class Payload:
            def __reduce__(self):
                return open, ({str(mark)!r}, "w")
        channel = next(each.channel for each in gc.get_objects() if type(each).__name__ == "Agent")
        VALUES = [True, ["pickle", pickle.dumps(Payload()).hex()], ["eval", "__import__('os')._exit(0)"],
                  ["object", "student"], ["handle", "__class__", []], {{"passed": True}}, [], ["list"] * 5]
        def forge(number, value):
            text = json.dumps({{"number": number, "value": value, "status": "passed", "earned": 6}}).encode()
            channel.sendall(struct.pack("<4sIQ", b"wall", len(text), 0) + text)
        def f(x):
            forge(f.turn, VALUES[WHICH])
            return True
        f.turn = 3  # the start and the seed come before
        count = names = f
    """
    for which in range(8):
        assert earned(session, f"WHICH = {which}\n" + textwrap.dedent(source)) == 0
    assert not mark.exists()


GIANTS = {
    "giant": "torch.zeros(1).expand(2**40)",
    "giant list": "[0.5] * 3_000_000",
    "giant text": "'a' * 2**24",
    "nan": "x * float('nan')",
    "inf": "x * float('inf')",
    "complex": "torch.softmax(x, -1).to(torch.complex64)",
    "sparse": "torch.softmax(x, -1).to_sparse()",
    "meta": "torch.softmax(x, -1).to('meta')",
    "quantised": "torch.quantize_per_tensor(torch.softmax(x, -1), 1e-4, 0, torch.qint32)",
    "no storage": "hollow(torch.softmax(x, -1))",
    "lying shape": "torch.zeros(1).as_subclass(Lying)",
    "lying strides": "torch.softmax(x, -1).as_strided(x.shape, (2**20, 1))",
    "endless": "ENDLESS",
    "nested": "NESTED",
}
ODD = """
    import torch
    class Lying(torch.Tensor):
        shape = property(lambda self: torch.Size([2, 3]))
        def size(self, *args): return self.shape
        def numel(self): return 6
        def stride(self): return (3, 1)
    def hollow(x):
        x.untyped_storage().resize_(0)
        return x
    ENDLESS = []
    ENDLESS.append(ENDLESS)
    NESTED = 1
    for _ in range(100_000):
        NESTED = [NESTED]
"""


@pytest.mark.parametrize("answer", GIANTS.values(), ids=GIANTS)
@pytest.mark.filterwarnings("ignore")
def test_34_odd_tensors(session, answer):
    answers = "\n".join(f"def {name}(x): return {answer}" for name in ("f", "count", "names"))
    assert earned(session, textwrap.dedent(ODD) + answers) == 0


HONEST_TENSORS = {
    "requires grad": "torch.softmax(x, -1) * torch.ones(1, requires_grad=True)",
    "not contiguous": "torch.softmax(x, -1).t().contiguous().t()",
    "float64 inside": "torch.softmax(x.double(), -1).float()",
    "parameter": "torch.nn.Parameter(torch.softmax(x, -1))",
    "subclass": "torch.softmax(x, -1).as_subclass(type('Own', (torch.Tensor,), {}))",
}


@pytest.mark.parametrize("answer", HONEST_TENSORS.values(), ids=HONEST_TENSORS)
def test_34_honest_tensors(session, answer):
    assert earned(session, textwrap.dedent(HONEST) + f"def f(x): return {answer}") == 6


def test_38_echoed_inputs_are_all_there_is_to_learn(session):
    """What the student's side sees of a check: inputs, a seed, no reference value, no verdict."""
    source = """
        import gc
        agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
        seen, perform = [], agent._perform
        def listen(operation, fields):
            seen.append((operation, sorted(fields), fields.get("args")))
            return perform(operation, fields)
        agent._perform = listen
        def f(x): raise ValueError("x" * 100 + str(x.flatten().tolist()) * 100)
        def count(x): return f(x)
        def heard(): return seen
    """
    with local_student(textwrap.dedent(source)) as student:
        outcomes = session.run("attacked", student, seed_of, {})
        heard = student.heard()
    assert [outcome.earned for outcome in outcomes] == [0, 0, 0]
    assert all(len(outcome.error.message) <= 200 for outcome in outcomes)
    assert {operation for operation, *_ in heard} == {"call"}
    for _, fields, arguments in heard:
        assert fields == ["args", "kwargs", "method", "target"]
        for argument in arguments or ():
            assert not torch.allclose(argument.sum(-1), torch.ones(len(argument)))


def test_42_answers_remembered_and_inputs_mutated(session):
    """Answers from the last call, or arguments edited in the hope that they are compared."""
    remembering = """
        import torch
        LAST = {}
        def f(x):
            answer = LAST.get("x", torch.zeros_like(x))
            LAST["x"] = torch.softmax(x, -1)
            return answer
        def count(x): return LAST["x"].shape[0]
        names = count
    """
    mutating = """
        import torch
        def f(x):
            x.zero_().add_(1)
            return x
        def count(x):
            x.resize_(0)
            return len(x)
        def names(x): return x
    """
    assert earned(session, remembering) == 0
    assert earned(session, mutating) == 0


def test_a_dead_process_keeps_what_came_before_it(session):
    source = textwrap.dedent(HONEST) + "import os\ndef count(x): os._exit(0)\n"
    assert earned(session, source) == 5


def test_nothing_that_comes_back_is_unpickled_or_evaluated():
    """The reading half of the wall has no such call in it."""
    from autograder.wall import student, wire

    for module in (wire, student):
        source = inspect.getsource(module)
        for word in ("pickle", "eval(", "exec(", "torch.load", "np.load", "marshal"):
            assert word not in source.replace("unpickled", "")
