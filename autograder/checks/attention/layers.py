"""What the checks of layers share: the student's layer beside the reference's, and dropout seen from outside.

To look at one sub-layer, the maps with which the others end are set to zero.
"""

from functools import cache
from itertools import product

import torch
from torch import Tensor, nn

from autograder.checks.comparing import assert_same

ENDS = {"self": "self_attention.out_proj", "cross": "cross_attention.out_proj", "thinking": "linear_2"}
"""The map with which each sub-layer ends; an encoder layer has the first and the last."""

ALMOST_NEVER = 6.5
"""Standard deviations: a count of some hundred trials lies further out with probability below 1e-8."""


def make_layers(
    student,
    rng: torch.Generator,
    kind: type[nn.Module],
    sizes: tuple[int, int, int],
    *,
    only: str = "",
    norm_first: bool = False,
) -> tuple:
    """The student's layer and the reference's in evaluation mode, with the same weights, drawn here.

    The reference's serves all calls with the same sizes: use one pair before you make the next.

    Args:
        student: the student's side.
        rng: source of the weights.
        kind: the reference's class; the student's has its name.
        sizes: (D, H, d_ff).
        only: the sub-layer that gives something, a key of `ENDS`; its norm and the others are then alike, so that
            which norm belongs to it is left to those checks that look at the whole layer. "" for all.
        norm_first: where the norms stand.
    """
    theirs = getattr(student, kind.__name__)(*sizes, norm_first=norm_first)
    ours = _reference(kind, sizes, norm_first)  # type: ignore[arg-type]  # a class can be hashed
    _draw_weights(rng, theirs, ours, only)
    theirs.eval()
    return theirs, ours


@cache
def _reference(kind: type[nn.Module], sizes: tuple[int, int, int], norm_first: bool) -> nn.Module:
    """A layer without gradients, in evaluation mode: all that changes in it are weights, and all are drawn anew."""
    return kind(*sizes, norm_first=norm_first).eval().requires_grad_(False)


def _draw_weights(rng: torch.Generator, theirs, ours: nn.Module, only: str) -> None:
    """The same weights for both; `only` is that of `make_layers`."""
    state = ours.state_dict()  # the layer's own tensors
    silent = [end for part, end in _ends(state).items() if only and part != only]
    for name, value in state.items():
        layer, _, role = name.rpartition(".")
        norm = layer.startswith("norm")
        if layer in silent:
            value.zero_()
        elif norm and only and layer != "norm_1":
            value.copy_(state[f"norm_1.{role}"])
        else:
            value.normal_(
                float(norm and role == "weight"),
                value.shape[-1] ** -0.5 if value.ndim == 2 else 0.5,
                generator=rng,
            )
    theirs.load_state(state)


def _ends(state: dict[str, Tensor]) -> dict[str, str]:
    """Those of `ENDS` that a layer has."""
    return {part: end for part, end in ENDS.items() if f"{end}.weight" in state}


def assert_dropout_norm_first(
    student, kind: type[nn.Module], sizes: tuple[int, int, int], dropout: float, *arguments: Tensor
) -> None:
    """Each entry of what each sub-layer gives is kept or dropped by itself, and nothing else is; the norm is first.

    The sub-layers give 1, 2 and 4 whatever goes in, so that the sum tells which of them were kept. In the
    feed-forward network every unit gives its share: dropout inside it would be seen.
    """
    state = kind(*sizes).state_dict()
    ends = _ends(state)
    values = [2**place for place in range(len(ends))]
    for (part, end), value in zip(ends.items(), values, strict=True):
        state[f"{end}.weight"].fill_(value / sizes[2] if part == "thinking" else 0.0)
        state[f"{end}.bias"].fill_(0.0 if part == "thinking" else value)
    state["linear_1.weight"].zero_()
    state["linear_1.bias"].fill_(1.0)
    theirs = getattr(student, kind.__name__)(*sizes, dropout=dropout, norm_first=True)
    theirs.load_state(state)
    theirs.train()
    added = (theirs(*arguments) - arguments[0]).double() * (1 - dropout)
    sums = added.round()
    assert_same(added, sums, absolute=1e-3)
    assert sums.min() >= 0
    assert sums.max() <= sum(values)
    for value in values:
        assert_each_by_itself(sums.long() // value % 2, 1 - dropout)
    assert_count(sums == sum(values), (1 - dropout) ** len(values))
    theirs.eval()
    assert_same(theirs(*arguments), arguments[0] + sum(values))


def assert_dropout_norm_last(
    student,
    rng: torch.Generator,
    kind: type[nn.Module],
    sizes: tuple[int, int, int],
    dropout: float,
    *arguments: Tensor,
) -> None:
    """Each entry of what each sub-layer gives is kept or dropped by itself, and nothing else is; the norm is last.

    A norm hides what was dropped before it. So what each sub-layer of the reference gives is added and normalised
    with every choice of entries that are kept; each vector of the student's is one of these, which tells the choice.
    """
    choices = torch.tensor(list(product((0.0, 1.0), repeat=sizes[0])))[:, None, None]  # (2 ** D, 1, 1, D)
    theirs = getattr(student, kind.__name__)(*sizes, dropout=dropout)
    ours = kind(*sizes).eval().requires_grad_(False)
    norms = [layer for name, layer in ours.named_children() if name.startswith("norm")]
    given: list[Tensor] = []  # by each sub-layer, (B, T, D)
    ours.dropout = nn.Identity()
    ours.dropout.register_forward_hook(lambda _module, _arguments, result: given.append(result))
    for part in _ends(ours.state_dict()):
        _draw_weights(rng, theirs, ours, part)
        given.clear()
        evaluated, found = ours(*arguments), arguments[0]
        for norm, each in zip(norms, given, strict=True):  # those of the other sub-layers are zero
            found = norm(found + each * choices / (1 - dropout))  # (2 ** D, B, T, D)
        theirs.train()
        trained = theirs(*arguments)
        assert_same(trained * 0, arguments[0] * 0)
        nearest = (found - trained).abs().amax(dim=-1).min(dim=0)  # (B, T)
        assert nearest.values.max() < 1e-3
        assert_each_by_itself(choices[nearest.indices, 0, 0], 1 - dropout)
        theirs.eval()
        assert_same(theirs(*arguments), evaluated)


def assert_each_by_itself(kept: Tensor, probability: float) -> None:
    """A share of `probability` of the entries (B, T, D) is 1, and neighbours know nothing of each other.

    Neighbours in a pair, of which no two share an entry, agree as often as chance has it: in none of the three
    dimensions does one draw serve for several entries.
    """
    assert_count(kept, probability)
    for dim in range(kept.ndim):
        places = kept.movedim(dim, 0)
        assert_count(places[:-1:2] == places[1::2], probability**2 + (1 - probability) ** 2)


def assert_count(happened: Tensor, probability: float) -> None:
    """About a share of `probability` of the entries is 1."""
    spread = (happened.numel() * probability * (1 - probability)) ** 0.5
    assert abs(happened.sum().item() - happened.numel() * probability) <= ALMOST_NEVER * spread


def gradients_of_arguments(student, layer, weighing, *arguments):
    """Runs beside the student's code: the gradients of `layer(*arguments)`, weighed, with respect to the arguments."""
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    return torch.autograd.grad(layer(*leaves), leaves, weighing)


def arguments_after_the_call(student, layer, *arguments):
    """Runs beside the student's code: the result, and what the caller's own tensors hold afterwards."""
    return layer(*arguments), *arguments


def assert_gradients(student, theirs, ours: nn.Module, weighing: Tensor, *arguments: Tensor) -> None:
    """The gradients of parameters and arguments are the reference's; there are no other parameters."""
    gradients = theirs.grads(*arguments, cotangent=weighing)
    parameters = {name: each.clone().requires_grad_() for name, each in ours.named_parameters()}
    leaves = tuple(argument.clone().requires_grad_() for argument in arguments)
    result = torch.func.functional_call(ours, parameters, leaves)
    expected = torch.autograd.grad(result, [*parameters.values(), *leaves], weighing)
    assert gradients.keys() == parameters.keys()
    flat = torch.cat([gradients[name].flatten() for name in parameters])
    assert_same(flat, torch.cat([each.flatten() for each in expected[: len(parameters)]]))
    found = student.probe(gradients_of_arguments, theirs, weighing, *arguments)
    for gradient, wanted in zip(found, expected[len(parameters) :], strict=True):
        assert_same(gradient, wanted)


def assert_untouched(student, theirs, *arguments: Tensor) -> None:
    """The caller's tensors hold what they held."""
    _, *after = student.probe(arguments_after_the_call, theirs, *arguments)
    for tensor, wanted in zip(after, arguments, strict=True):
        assert_same(tensor, wanted, relative=0, absolute=0)


def draw_mask(rng: torch.Generator, *shape: int) -> Tensor:
    """Half of the places are hidden; each row keeps one that is seen and hides one."""
    mask = torch.rand(*shape, generator=rng) < 0.5
    mask[..., 0], mask[..., -1] = True, False
    return mask
