"""The student proxy: calls, classes, gradients, probes, stand-ins, and how an honest mistake reads."""

import numpy as np
import pytest
import torch

from autograder.wall.local import local_student
from autograder.wall.probe import Probe
from autograder.wall.student import StudentError, clean

NOTEBOOK = """
import random, statistics, sys, warnings
import numpy as np
import torch
from torch import nn

def double(x):
    return x * 2

def scaled(x, *, factor):
    return x * factor

def sum_in_place(values):
    values.append(0)
    values[0] = -1
    return sum(values)

def product(x, y, flags):
    return (x * y).sum()

def both(x):
    return x.sum(), x * 3

def noisy(x):
    print("printed")
    print("warned", file=sys.stderr)
    warnings.warn("mind")
    return x

def draws():
    return random.random(), float(np.random.rand()), torch.rand(2)

def draw(generator):
    return torch.rand(3, generator=generator)

def apply(function, x):
    return function(x)

def average(values):
    return statistics.mean(values)

def helper(x):
    return x["missing"]

def fails(x):
    y = x  # the line before
    return helper(y)  # the line that calls

def lazy(x):
    return (each for each in x)

def unfinished(x):
    raise NotImplementedError("write your code here")

def own_hash(x):
    return helper_scale * x

helper_scale = 3

class Model(nn.Module):
    def __init__(self, *, width):
        super().__init__()
        self.layer = nn.Linear(width, 2)
        self.unused = nn.Parameter(torch.ones(3))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.register_buffer("mask", torch.ones(width))

    def forward(self, x):
        return self.layer(x * self.mask).sum()

    def named(self, prefix, n=1):
        return [prefix] * n

class Vocabulary:
    def __init__(self, words):
        self.words = list(words)

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self.words

    def __getitem__(self, word):
        return self.words.index(word)

def describe(model, words):
    return type(model).__name__, len(words)
"""


@pytest.fixture(scope="module")
def student():
    with local_student(NOTEBOOK) as student:
        yield student


def test_a_call_returns_the_value(student):
    assert torch.equal(student.double(torch.arange(3.0)), torch.tensor([0.0, 2.0, 4.0]))
    assert student.scaled(2, factor=3) == 6
    assert student.double([1, "a"]) == [1, "a", 1, "a"]
    assert np.array_equal(student.double(np.arange(2)), np.array([0, 2]))


def test_inputs_are_fresh_copies(student):
    values = [1, 2]
    assert student.sum_in_place(values) == 1
    assert values == [1, 2]
    assert student.sum_in_place(values) == 1


def test_defined(student):
    assert student.defined("double")
    assert not student.defined("tripled")


def test_seeds_make_draws_repeat(student):
    student.seed(7)
    first = student.draws()
    student.seed(7)
    second = student.draws()
    assert first[:2] == second[:2]
    assert torch.equal(first[2], second[2])
    assert student.draws()[0] != first[0]


def test_a_generator_arrives_seeded(student):
    expected = torch.rand(3, generator=torch.Generator().manual_seed(5))
    for _ in range(2):
        assert torch.equal(student.draw(student.generator(5)), expected)


def test_prints_and_warnings_cost_nothing(student, capfd):
    assert student.noisy(3) == 3
    assert capfd.readouterr() == ("", "")


# Gradients


def test_gradients_of_a_function(student):
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    grads = student.product.grads(x, y, torch.tensor([1, 0]))
    assert len(grads) == 2
    assert torch.equal(grads[0], y)
    assert torch.equal(grads[1], x)


def test_gradients_with_a_cotangent(student):
    x, cotangent = torch.ones(3), torch.tensor([1.0, 0.0, 2.0])
    assert torch.equal(student.double.grads(x, cotangent=cotangent)[0], 2 * cotangent)
    (grad,) = student.both.grads(x, cotangent=(torch.tensor(1.0), cotangent))
    assert torch.equal(grad, 1 + 3 * cotangent)
    (grad,) = student.scaled.grads(x, factor=4, cotangent=cotangent)
    assert torch.equal(grad, 4 * cotangent)


def test_gradients_of_a_module(student):
    model = student.Model(width=4)
    x = torch.arange(8.0).reshape(2, 4)
    grads = model.grads(x)
    assert sorted(grads) == ["layer.bias", "layer.weight", "unused"]
    assert torch.equal(grads["layer.weight"], x.sum(0).expand(2, 4))
    assert torch.equal(grads["unused"], torch.zeros(3))
    assert torch.equal(model.grads(x)["layer.bias"], torch.full((2,), 2.0))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def f(x): return x.detach().sum()", "the result carries no gradient"),
        (
            "def f(x): return float(x.sum())",
            "the result is a float where a tensor with gradients is expected",
        ),
        ("def f(x): return x * 2", "the result has shape (2,), expected ()"),
        ("def f(x): return x.sum(), x", "there are 2 results where 1 are expected"),
    ],
)
def test_results_without_gradients_are_explained(source, sentence):
    with local_student(source) as student, pytest.raises(StudentError) as error:
        student.f.grads(torch.ones(2))
    assert sentence in error.value.message


def test_gradients_where_the_notebook_turned_them_off():
    with local_student("import torch\ntorch.set_grad_enabled(False)\ndef f(x): return x.sum()") as student:
        assert torch.equal(student.f.grads(torch.zeros(2))[0], torch.ones(2))


# Objects that stay there


def test_a_class_gives_a_handle(student):
    model = student.Model(width=3)
    state = {name: torch.full_like(value, 0.5) for name, value in model.state().items()}
    assert model.load_state(state) is model
    assert torch.equal(model.state()["layer.bias"], torch.tensor([0.5, 0.5]))
    assert model(torch.ones(1, 3)).item() == pytest.approx(2 * (3 * 0.25 + 0.5))
    assert model.named("a", n=2) == ["a", "a"]
    model.eval()
    assert student.probe(lambda_training, model) is False
    model.train()
    assert student.probe(lambda_training, model) is True
    assert repr(model) == "<the student's Model>"


def lambda_training(names, model):
    return model.training


def test_operators_reach_the_object(student):
    vocabulary = student.Vocabulary(["a", "b"])
    assert len(vocabulary) == 2
    assert "a" in vocabulary
    assert "c" not in vocabulary
    assert vocabulary["b"] == 1
    with pytest.raises(StudentError, match="ValueError"):
        vocabulary["c"]
    with pytest.raises(TypeError):
        iter(vocabulary)


def test_handles_pass_as_arguments(student):
    assert student.describe(student.Model(width=1), student.Vocabulary("abc")) == ("Model", 3)


def test_objects_there_live_as_long_as_their_handles():
    source = """
import gc, weakref
class Thing: pass
seen = []
def make():
    thing = Thing()
    seen.append(weakref.ref(thing))
    return thing
def alive():
    return sum(ref() is not None for ref in seen)
"""
    with local_student(source) as student:
        things = [student.make(), student.make()]
        assert student.alive() == 2
        things.pop()
        assert student.alive() == 1
        del things
        assert student.alive() == 0


def test_a_buffer_of_ones_own_is_no_fault(student):
    model = student.Model(width=2)
    state = model.state()
    del state["mask"]
    model.load_state(state)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"gate.weight": torch.zeros(1)}, "there is no parameter `gate.weight`; there is `unused`, `frozen`"),
        ({"unused": None}, "there is a parameter `unused`, which the exercise does not ask for"),
        ({"unused": torch.zeros(4)}, "`unused` has shape (3,), expected (4,)"),
    ],
)
def test_other_parameters_are_named(student, change, sentence):
    model = student.Model(width=2)
    state = {name: value for name, value in {**model.state(), **change}.items() if value is not None}
    with pytest.raises(StudentError) as error:
        model.load_state(state)
    assert error.value.kind == "Parameter"
    assert sentence in error.value.message


def test_state_of_what_is_no_module_is_explained(student):
    with pytest.raises(StudentError, match=r"derive the class from `nn\.Module`"):
        student.Vocabulary([]).state()


# Probes


def test_a_probe_sees_the_notebook_and_its_arguments(student):
    def twice(names, x, *, times=1):
        model = names.Model(width=len(x))
        return {"twice": [names.double(x) for _ in range(times)], "shape": list(model.layer.weight.shape)}

    answer = student.probe(twice, torch.ones(3), times=2)
    assert answer["shape"] == [2, 3]
    assert torch.equal(answer["twice"][1], torch.full((3,), 2.0))


def test_a_probe_is_a_callable_there(student):
    def add(table, x):
        return F.relu(table) + x + np.float64(math.floor(0.5)).item()  # noqa: F821

    assert torch.equal(student.apply(Probe(add, torch.tensor([1.0, -1.0])), 1), torch.tensor([2.0, 1.0]))


def test_a_probe_that_cannot_cross_is_refused_here():
    outside = 3

    def closes_over(names):
        return outside

    def imports(names):
        import os

        return os.getpid()

    with pytest.raises(ValueError, match="`outside` does not cross"):
        Probe(closes_over)
    with pytest.raises(ValueError, match="no imports"):
        Probe(imports)
    with pytest.raises(ValueError, match="plain `def`"):
        Probe(lambda names: names)


def test_a_name_that_is_missing_in_a_probe_is_the_students_error(student):
    def missing(names):
        return names.tripled

    with pytest.raises(StudentError, match="does not define `tripled`"):
        student.probe(missing)


# Stand-ins


def test_stand_ins_replace_and_restore():
    source = "def comb(n, k): return -1\ndef use(): return comb(4, 2), late(-2)\n"
    with local_student(source) as student:
        with student.stand_ins({"comb": "math:comb", "late": "operator:neg"}):
            assert student.use() == (6, 2)
        assert student.comb(4, 2) == -1
        assert not student.defined("late")


def test_stand_ins_go_when_a_check_fails():
    with local_student("def f(x): return x") as student:
        with pytest.raises(AssertionError), student.stand_ins({"f": "operator:neg"}):
            assert student.f(1) == 1
        assert student.f(1) == 1


# Honest mistakes


def test_an_error_names_the_students_own_line(student):
    with pytest.raises(StudentError) as caught:
        student.fails({})
    error = caught.value
    assert (error.kind, error.message, error.line) == ("KeyError", "'missing'", 'return x["missing"]')
    assert NOTEBOOK.splitlines()[error.number - 1].strip() == error.line


def test_an_error_in_a_library_names_the_students_line(student):
    with pytest.raises(StudentError) as caught:
        student.product(torch.ones(2), torch.ones(3), None)
    assert caught.value.kind == "RuntimeError"
    assert caught.value.line == "return (x * y).sum()"
    with pytest.raises(StudentError) as caught:
        student.average([])
    assert caught.value.kind == "StatisticsError"
    assert caught.value.line == "return statistics.mean(values)"


def test_a_message_is_cut_and_cleaned(student):
    def say(names, text):
        raise ValueError(text)

    with pytest.raises(StudentError) as caught:
        student.probe(say, "\x1b[31m注意\nline\u202e " + "x" * 500)
    assert caught.value.message.startswith("[31m注意 line xxx")
    assert len(caught.value.message) == 200
    assert clean("\ud800", 5) == "?"
    assert clean(3, 5) == ""


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda s: s.tripled(1), "NameError", "the notebook does not define `tripled`; keep the name"),
        (lambda s: s.unfinished(1), "NotImplementedError", "write your code here"),
        (lambda s: s.lazy([1]), "Result", "`lazy` gave a generator, which is lazy; return a list"),
        (
            lambda s: s.scaled(1, times=2),
            "Signature",
            "`scaled(x, *, factor)` was called with 1 by position, times=",
        ),
        (
            lambda s: s.Model(dimension=3),
            "Signature",
            "`Model(*, width)` was called with dimension=; keep the stub's",
        ),
        (lambda s: s.Model(width=1)(1, 2), "Signature", "`Model.forward(x)` was called with 2 by position"),
        (
            lambda s: s.Model(width=1).named(),
            "Signature",
            "`Model.named(prefix, n=1)` was called with nothing",
        ),
        (lambda s: s.Model(width=1).tripled(), "AttributeError", "`Model` has no method `tripled`"),
        (lambda s: s.helper_scale(1), "TypeError", "'int' object is not callable"),
    ],
)
def test_an_honest_mistake_reads_as_a_sentence(student, call, kind, sentence):
    with pytest.raises(StudentError) as error:
        call(student)
    assert error.value.kind == kind
    assert sentence in error.value.message


def test_an_error_without_a_message_reads_well():
    source = "def f(): raise NotImplementedError"
    with local_student(source) as student, pytest.raises(StudentError) as error:
        student.f()
    assert str(error.value) == f"NotImplementedError (line 1: {source})"


def test_a_type_error_inside_is_no_matter_of_names():
    with local_student("def f(x):\n    return len(3)\n") as student, pytest.raises(StudentError) as error:
        student.f(1)
    assert error.value.kind == "TypeError"
    assert error.value.line == "return len(3)"


def test_an_argument_that_cannot_cross_is_the_checks_fault(student):
    with pytest.raises(TypeError, match="an argument for `double` is a object"):
        student.double(object())
    assert student.double(1) == 2


def test_a_notebook_that_fails_says_where():
    with pytest.raises(StudentError) as error, local_student("x = 1\ny = x / 0\n"):
        pass
    assert (error.value.kind, error.value.line, error.value.number) == ("ZeroDivisionError", "y = x / 0", 2)


def test_a_namespace_can_be_made_by_a_function():
    with local_student(lambda: {"f": torch.relu}) as student:
        assert student.f(torch.tensor(-1.0)).item() == 0
