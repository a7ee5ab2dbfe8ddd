"""Which uses of a forbidden name count, which are the student's own business, and what is only flagged."""

import pytest

from autograder.grading.may_not_use import Finding, find
from autograder.grading.scopes import defined_names
from autograder.grading.syntax import parse

FORBIDDEN = ["soft_margin_loss", "nn.BCEWithLogitsLoss"]


def used(answer, *others):
    return find("loss", FORBIDDEN, answer, others).used


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(x):\n    return F.soft_margin_loss(x, x)",
        "from torch.nn.functional import soft_margin_loss as s\ndef loss(x):\n    return s(x, x)",
        "from torch.nn.functional import *\ndef loss(x):\n    return soft_margin_loss(x, x)",
        "import torch.nn.functional as F\nloss = F.soft_margin_loss",
        "f = F.soft_margin_loss\nloss = lambda x: f(x, x)",
        "def helper(x):\n    return nn.BCEWithLogitsLoss()(x, x)\ndef loss(x):\n    return helper(x)",
        "class loss:\n    def __call__(self, x):\n        return torch.nn.functional.soft_margin_loss(x, x)",
        "def loss(x):\n    return x\nloss.inner = F.soft_margin_loss",
        "%matplotlib inline\ndef loss(x):\n    return F.soft_margin_loss(x, x)",
        "def loss(x):\n    match F:\n        case object(soft_margin_loss=f):\n            return f(x, x)",
        "def loss(x):\n    f = F.soft_margin_loss\n    return f(x, x)",
        "if True:\n    def loss(x):\n        return F.soft_margin_loss(x, x)",
    ],
)
def test_a_use_is_found_with_its_line(answer):
    (words,) = used(answer)
    name = "BCEWithLogitsLoss" if "BCE" in answer else "soft_margin_loss"
    line = 1 + next(
        number for number, line in enumerate(answer.splitlines()) if name in line or "import *" in line
    )
    assert words.startswith(f"{name} (line ")
    if "import *" not in answer:
        assert words == f"{name} (line {line})"


def test_a_helper_in_an_added_cell_counts_when_the_answer_calls_it():
    helper = "def helper(x):\n    return F.soft_margin_loss(x, x)"
    assert used("def loss(x):\n    return helper(x)", helper) == (
        "soft_margin_loss (line 2 of another cell)",
    )
    assert used("def loss(x):\n    return x", helper) == ()


def test_a_name_that_the_setup_cell_imported_counts_when_the_answer_uses_it():
    setup = "import math\nfrom nlpcourse.standins import embeddings as course"
    find_in = find("loss", ["standins"], "def loss(x):\n    return course.loss(x)", [setup])
    assert find_in.used == ("standins (line 2 of another cell)",)
    assert find("loss", ["standins"], "def loss(x):\n    return math.exp(x)", [setup]).used == ()


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(x):\n    '''Not soft_margin_loss, as the text says.'''\n    return x.exp().log1p()",
        "# soft_margin_loss\ndef loss(x):\n    return x",
        "def loss(x):\n    return x\nprint(loss(1) - F.soft_margin_loss(x, x))",
        "def soft_margin_loss(x):\n    return x\ndef loss(x):\n    return soft_margin_loss(x)",
        "from torch.nn.functional import logsigmoid, soft_margin_loss\ndef loss(x):\n    return logsigmoid(x)",
        "class loss:\n    def soft_margin_loss(self):\n        return 1\n"
        "    def f(self):\n        return self.soft_margin_loss()",
        "def loss(x):\n    soft_margin_loss = x.exp()\n    return soft_margin_loss.log1p()",
        "def loss(x, soft_margin_loss=1):\n    return [soft_margin_loss for soft_margin_loss in x]",
        "def 损失(x):\n    return x\ndef loss(x):\n    return 损失(x)  # 不用库函数",
    ],
)
def test_what_the_answer_does_not_use_is_the_students_own(answer):
    assert used(answer) == ()


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(x):\n    return getattr(F, 'soft_margin' + '_loss')(x, x)",
        "def loss(x):\n    return F.__dict__['soft_margin_loss'](x, x)",
        "import importlib\ndef loss(x):\n    return importlib.import_module('torch.nn').x(x)",
        "def loss(x):\n    return eval('F.soft_margin_loss')(x, x)",
        "def loss(x):\n    return dict(inspect.getmembers(F))['soft_margin' + '_loss'](x, x)",
        "def loss(x):\n    return pkgutil.resolve_name('torch.nn.functional:soft_margin_loss')(x, x)",
        "def loss(x):\n    return string.Formatter().get_field(name, (F,), {})[0](x, x)",
        "def loss(x: name):\n    return typing.get_type_hints(loss)['x'](x, x)",
        "def loss(x):\n    return torch.jit.CompilationUnit(text).f(x, x)",
        "def loss(x):\n    return pickle.loads(text)(x, x)",
    ],
)
def test_evasion_is_flagged_and_not_counted(answer):
    finding = find("loss", FORBIDDEN, answer)
    assert finding.used == ()
    assert finding.evasions


def test_without_forbidden_names_reflection_is_nobodys_business():
    assert find("loss", [], "def loss(x):\n    return getattr(F, 'x')(x)").evasions == ()


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + ")" * 5000,
        "-" * 50_000 + "1",
        "x" + ".a" * 50_000,
        "x = " + "+".join("1" * 30_000),
        "def f(:\n  pass",
        "a\x00b",
        "%x\n" * 5000,
        ";f x\n" * 5000,
        "/f x\n" * 39,
        ",f x\n" * 39 + "# " + "x" * 190_000,
        "not python at all ?",
    ],
)
def test_hostile_sources_are_read_without_harm(source):
    parse(source)
    assert isinstance(defined_names(source), frozenset)
    assert find("loss", FORBIDDEN, source).used == ()


LOSS = "binary_cross_entropy_with_logits"


@pytest.mark.parametrize(
    "answer",
    [
        "def f(a):\n    loss = a\n    return loss",
        "def f(loss):\n    return loss",
        "def f(a):\n    return [loss for loss in a]",
        "def f(a):\n    return sorted(a, key=lambda loss: -loss)",
    ],
)
def test_a_variable_of_the_answer_is_no_variable_of_another_cell(answer):
    assert find("f", [LOSS], answer, [f"loss = F.{LOSS}(1, 2)"]) == Finding((), ())


@pytest.mark.parametrize(
    "answer",
    [
        "def f(a):\n    return loss(a)",
        "def f(a, g=loss):\n    loss = g\n    return loss(a)",
        "def f(a):\n    def g():\n        loss = 1\n    return loss(a)",
        "def f(a):\n    return [loss for loss in loss(a)]",
        "def f(a):\n    global loss\n    loss = loss\n    return loss(a)",
    ],
)
def test_a_name_looked_up_in_the_notebook_is_followed(answer):
    assert find("f", [LOSS], answer, [f"def loss(a):\n    return F.{LOSS}(a, a)"]).used


def test_calling_a_module_self_hides_nothing():
    assert find("f", [LOSS], f"def f(a):\n    self = F\n    return self.{LOSS}(a)").used


def test_a_star_import_is_flagged():
    assert find("f", [LOSS], "def f(a): pass", ["from nlpcourse.standins.embeddings import *"]).evasions


@pytest.mark.parametrize(
    "answer",
    [
        "    def loss(x):\n        return F.soft_margin_loss(x, x)",
        "%%time\ndef loss(x):\n    return F.soft_margin_loss(x, x)",
        "%%capture out\n%%time\ndef loss(x):\n    return F.soft_margin_loss(x, x)",
        "%time loss = F.soft_margin_loss",
        "%timeit -n 1 -r 1 loss = F.soft_margin_loss",
        ">>> def loss(x):\n...     return F.soft_margin_loss(x, x)",
        "In [1]: loss = F.soft_margin_loss",
    ],
)
def test_a_cell_is_read_as_ipython_reads_it(answer):
    (words,) = used(answer)
    line = 1 + next(number for number, line in enumerate(answer.splitlines()) if "soft_margin" in line)
    assert words == f"soft_margin_loss (line {line})"


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("def loss(x:\n    return x", "the answer cell cannot be read"),
        ("%%time\ndef loss(x:\n    return x", "the answer cell cannot be read"),
        ("def loss(x):\n    return x\n" + "!true\n" * 41, "the answer cell cannot be read"),
        ("def loss(x):\n    return x\n" + "# why?\n" * 41, "too many magic lines"),
        ("from operator import attrgetter\ndef loss(x):\n    return attrgetter(name)(F)(x, x)", "attrgetter"),
        ("%%writefile mine.py\nx = 1", "the magic writefile"),
        (
            "def soft_margin_loss(x): pass\nfrom torch.nn.functional import *\n"
            "def loss(x):\n    return soft_margin_loss(x, x)",
            "soft_margin_loss, which `import *` may have replaced",
        ),
    ],
)
def test_what_cannot_be_read_is_flagged(answer, named):
    found = find("loss", FORBIDDEN, answer)
    assert any(each.startswith(named) for each in found.evasions), found


def test_of_a_needed_exercise_only_its_own_object_is_left_out():
    needed = "def part(x):\n    return F.soft_margin_loss(x, x)\ndef helper(x):\n    return F.soft_margin_loss(x, x)"
    honest, cheat = "def loss(x):\n    return part(x)", "def loss(x):\n    return helper(x)"
    assert find("loss", FORBIDDEN, honest, [], {"part": needed}).used == ()
    assert find("loss", FORBIDDEN, cheat, [], {"part": needed}).used == (
        "soft_margin_loss (line 4 of another cell)",
    )
    rebound = f"{honest}\npart = F.soft_margin_loss"
    assert find("loss", FORBIDDEN, rebound, [], {"part": needed}).used == ("soft_margin_loss (line 3)",)
    aside = "part = F.soft_margin_loss\n" + needed
    assert find("loss", FORBIDDEN, honest, [], {"part": aside}).used


GRADIENT = ["autograd", "backward", "torch.func", "functorch"]


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(x):\n    return torch.func.grad(f)(x)",
        "import torch as t\ndef loss(x):\n    return t.func.grad(f)(x)",
        "from torch import func\ndef loss(x):\n    return func.grad(f)(x)",
        "from torch import func as f\ndef loss(x):\n    return f.grad(g)(x)",
        "from torch.func import grad\ndef loss(x):\n    return grad(f)(x)",
        "import torch.func as slopes\ndef loss(x):\n    return slopes.grad(f)(x)",
        "def loss(x):\n    from torch import func\n    return func.grad(f)(x)",
        "import functorch\ndef loss(x):\n    return functorch.grad(f)(x)",
    ],
)
def test_a_dotted_name_is_ruled_out_as_a_part_of_its_owner(answer):
    (words,) = find("loss", GRADIENT, answer).used
    assert words.startswith(("func (line", "functorch (line"))


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(func, x):\n    return func(x)",
        "def loss(x):\n    func = torch.sigmoid\n    return func(x)",
        "def loss(x):\n    backward, autograd = x, -x\n    return [backward for autograd in (backward,)]",
        "def loss(x):\n    func = lambda backward: -backward\n    return func(x)",
        "import functools\ndef loss(x):\n    return functools.partial(abs, x)()",
    ],
)
def test_ones_own_variables_may_have_any_name(answer):
    assert find("loss", GRADIENT, answer) == Finding((), ())


def test_the_last_part_of_a_dotted_name_elsewhere_is_for_somebody_to_look_at():
    finding = find("loss", GRADIENT, "def loss(x):\n    return (lambda: torch)().func.grad(f)(x)")
    assert finding == Finding((), ("func of something else than torch (line 2)",))


def test_a_name_that_nobody_had_to_import_is_ruled_out_as_well():
    assert find("f", ["sorted"], "def f(a):\n    return sorted(a)").used == ("sorted (line 2)",)
    own = "def sorted(a):\n    return a\ndef f(a):\n    return sorted(a)"
    assert find("f", ["sorted"], own) == Finding((), ())
