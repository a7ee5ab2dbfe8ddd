"""What the checks of modules share: gradients, arguments that stay as they are, and dropout seen from outside."""

from itertools import product

import torch
from torch import Tensor, nn

from autograder.checks.comparing import assert_same

ALMOST_NEVER = 6.5
"""Standard deviations: a count of some hundred trials lies further out with probability below 1e-8."""


def gradients_of_arguments(student, module, weighing, *arguments):
    """Runs beside the student's code: the gradients of `module(*arguments)`, weighed, for floating arguments."""
    leaves = [each.clone().requires_grad_(each.is_floating_point()) for each in arguments]
    return torch.autograd.grad(module(*leaves), [each for each in leaves if each.requires_grad], weighing)


def arguments_after_the_call(student, module, *arguments):
    """Runs beside the student's code: the result, and what the caller's own tensors hold afterwards."""
    return module(*arguments), *arguments


def assert_gradients(student, theirs, ours: nn.Module, weighing: Tensor, *arguments: Tensor) -> None:
    """The gradients of parameters and floating arguments are the reference's; there are no other parameters."""
    gradients = theirs.grads(*arguments, cotangent=weighing)
    parameters = {name: each.clone().requires_grad_() for name, each in ours.named_parameters()}
    leaves = [each.clone().requires_grad_(each.is_floating_point()) for each in arguments]
    floating = [each for each in leaves if each.requires_grad]
    result = torch.func.functional_call(ours, parameters, tuple(leaves))
    expected = torch.autograd.grad(result, [*parameters.values(), *floating], weighing)
    assert gradients.keys() == parameters.keys()
    flat = torch.cat([gradients[name].flatten() for name in parameters])
    assert_same(flat, torch.cat([each.flatten() for each in expected[: len(parameters)]]))
    if floating:
        found = student.probe(gradients_of_arguments, theirs, weighing, *arguments)
        for gradient, wanted in zip(found, expected[len(parameters) :], strict=True):
            assert_same(gradient, wanted)


def assert_untouched(student, theirs, *arguments: Tensor) -> None:
    """The caller's tensors hold what they held."""
    _, *after = student.probe(arguments_after_the_call, theirs, *arguments)
    for tensor, wanted in zip(after, arguments, strict=True):
        assert_same(tensor, wanted, relative=0, absolute=0)


def kept_before_norm(trained: Tensor, x: Tensor, given: Tensor, norm: nn.Module, dropout: float) -> Tensor:
    """Which entries of what a sub-layer gave were kept by dropout before they were added, 0 or 1 each.

    A norm hides what was dropped before it. So what the sub-layer gives is added and normalised with every choice of
    entries that are kept; each vector of the student's is one of these, which tells the choice.

    Args:
        trained: (B, T, D), the student's result in training mode.
        x: (B, T, D), what the sub-layer's result is added to.
        given: (B, T, D), what the sub-layer gives, without dropout; D is so small that 2 ** D choices can be tried.
        norm: what follows the sum.
        dropout: how likely an entry is dropped.

    Returns:
        (B, T, D).

    Raises:
        AssertionError: some vector is none of these.
    """
    choices = torch.tensor(list(product((0.0, 1.0), repeat=x.shape[-1])))[:, None, None]  # (2 ** D, 1, 1, D)
    found = norm(x + given * choices / (1 - dropout))  # (2 ** D, B, T, D)
    assert_same(trained * 0, x * 0)
    nearest = (found - trained).abs().amax(dim=-1).min(dim=0)  # (B, T) each
    assert nearest.values.max() < 1e-3
    return choices[nearest.indices, 0, 0]


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
