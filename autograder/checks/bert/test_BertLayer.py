"""Hidden checks of `BertLayer`: its two sub-layers one at a time, heads, padding, both together, what is almost
the same, dropout, gradients.

The layer is given a state drawn here. To look at one sub-layer, the map with which the other ends is set to
zero.
"""

import torch
from torch import Tensor, nn

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.modules import (
    assert_each_by_itself,
    assert_gradients,
    assert_untouched,
    kept_before_norm,
)
from solutions.bert import encoder as reference

ONE_HEAD, HEADS, TINY = (6, 1, 11), ((6, 2, 11), (12, 3, 5)), (4, 2, 11)
"""(D, H, d_ff); the last for dropout: each choice of entries that are kept can be tried."""

TEXTS = ((2, 5), (1, 3), (3, 3))
"""(B, T)."""

FAR = 16.0
"""Here GELU is the identity, however it is computed."""


def make_layers(
    student, rng: torch.Generator, sizes: tuple[int, int, int], *, only: str = "", bent: bool = False
) -> tuple:
    """The student's layer and the reference's in evaluation mode, with the same weights; see `draw_weights`."""
    ours = reference.BertLayer(*sizes).eval().requires_grad_(False)
    draw_weights(rng, ours, only, bent)
    theirs = student.BertLayer(*sizes)
    theirs.load_state(ours.state_dict())
    theirs.eval()
    return theirs, ours


def draw_weights(rng: torch.Generator, layer: nn.Module, only: str = "", bent: bool = False) -> None:
    """New weights; sub-layers add little to x, so that no sum is so short that the `eps` of a norm is seen.

    Args:
        rng: their source.
        layer: a `BertLayer` without gradients.
        only: "output" or "outer", the map with which the one sub-layer ends that gives something; then both norms are
            alike, so that which belongs to it is left to the check of the whole layer. "" for both.
        bent: whether GELU gets numbers near zero; else it is the identity.
    """
    state = layer.state_dict()  # the layer's own tensors
    for name, value in state.items():
        part, _, role = name.rpartition(".")
        if part.endswith("norm"):
            value.normal_(float(role == "weight"), 0.2, generator=rng)
        else:
            value.normal_(0, value.shape[-1] ** -0.5 if role == "weight" else 0.5, generator=rng)
        if part in ("output", "outer"):
            value.mul_(0.4 * (only in ("", part)))
        if only and part == "output_norm":
            value.copy_(state[f"attention_norm.{role}"])
    if not bent:
        state["inner.bias"].add_(FAR)
        state["outer.bias"].sub_(FAR * state["outer.weight"].sum(dim=1))


def draw(rng: torch.Generator, texts: tuple[int, int], width: int) -> tuple[Tensor, Tensor]:
    """x, vectors whose mean is not zero and whose spread is not one, and a mask without padding."""
    ranks = torch.rand(*texts, width, generator=rng).argsort(dim=-1)  # far apart, so no vector is short
    x = ranks * (4.5 / (width - 1)) - 1.5 + 0.3 * torch.randn(*texts, width, generator=rng)
    return x, torch.ones(texts, dtype=torch.bool)


def assert_same_layer(
    student, rng: torch.Generator, sizes: tuple[int, int, int], tolerance: float = 1e-4, **settings
) -> None:
    """With the same weights the student's layer gives what the reference gives."""
    theirs, ours = make_layers(student, rng, sizes, **settings)
    for texts in TEXTS:
        arguments = draw(rng, texts, sizes[0])
        assert_same(theirs(*arguments), ours(*arguments), relative=tolerance, absolute=tolerance)


@check(points=1, requires=("layer-1", "layer-3"))
def test_attention(student, rng):
    """With one head, no padding and a silent feed-forward network, the layer is wrong: x gives queries, keys
    and values, each by its own map; scores are divided by the root of the head's width; `output` maps what
    comes out; x is added to it; then comes `attention_norm`. Every position looks at every position, also to
    the right."""
    assert_same_layer(student, rng, ONE_HEAD, only="output")


@check(points=1, requires="layer-1", after="test_attention")
def test_heads(student, rng):
    """One head is right, several are not: after the attention the heads stand side by side again, in their
    order. Transpose before you flatten; and each head is scaled by the root of its own width."""
    for sizes in HEADS:
        assert_same_layer(student, rng, sizes, only="output")


@check(points=1, requires="layer-4")
def test_feed_forward(student, rng):
    """With a silent attention the layer is wrong: `inner`, a GELU, `outer`; the result is added to what
    `attention_norm` gave; then comes `output_norm`."""
    # The tanh form of GELU moves these values by less than 1e-2; it is the business of another check.
    assert_same_layer(student, rng, HEADS[0], only="outer", bent=True, tolerance=1e-2)


@check(points=1, requires=("layer-3", "layer-4"), after=("test_heads", "test_feed_forward"))
def test_together(student, rng):
    """Each sub-layer alone is right, both together are not: the second begins with the result of the first,
    norm included, and it is that result which is added; each has a norm of its own."""
    for sizes in HEADS:
        assert_same_layer(student, rng, sizes)


@check(points=1, requires="layer-2", after="test_heads")
def test_padding(student, rng):
    """Without padding the layer is right, with padding it is not: where the mask is `False` stands a key that
    nobody may look at, in no head. Each text has its own row of the mask, which belongs to the last dimension
    of the scores. A position of padding still looks, so that no row of scores is hidden as a whole and nothing
    becomes `nan`."""
    for sizes in HEADS:
        theirs, ours = make_layers(student, rng, sizes, only="output")
        for texts in ((3, 5), (2, 4), (4, 4)):
            x, mask = draw(rng, texts, sizes[0])
            mask[:, 1:] = torch.rand(texts[0], texts[1] - 1, generator=rng) < 0.5
            mask[0, 1:] = False
            found, expected = theirs(x, mask), ours(x, mask)
            assert_same(found * 0, expected * 0)
            assert_same(found[mask], expected[mask])


@check(points=1, requires=("layer-3", "layer-4"), after="test_together")
def test_almost_the_same(student, rng):
    """The layer is nearly right: GELU is the exact one, not its approximation by tanh or a sigmoid, and the
    norms are those of the layer, with the small `eps` of the published model."""
    for sizes in HEADS:
        theirs, ours = make_layers(student, rng, sizes)
        state = ours.state_dict()
        # Vectors are so short that another eps is seen, and GELU is so near zero that its forms differ by percents.
        for name, scale in (("output", 1e-3), ("attention_norm", 1e-2), ("outer", 0.1)):
            for role in ("weight", "bias"):
                state[f"{name}.{role}"].mul_(scale)
        state["inner.bias"].uniform_(-3, -1.5, generator=rng)
        state["outer.bias"].zero_()
        theirs.load_state(state)
        for texts in TEXTS:
            x, mask = draw(rng, texts, sizes[0])
            assert_same(theirs(x * 1e-3, mask), ours(x * 1e-3, mask), relative=1e-3, absolute=1e-3)


@check(points=1, requires="layer-5", after="test_together")
def test_dropout(student, rng):
    """In training mode dropout is not where it should be: it falls on the result of each sub-layer, before it
    is added, not on the sum, not behind the norm, and not inside a sub-layer. In evaluation mode there is none."""
    dropout = 0.3
    theirs = student.BertLayer(*TINY, dropout=dropout)
    ours = reference.BertLayer(*TINY).eval().requires_grad_(False)
    given: dict[str, Tensor] = {}  # by each sub-layer, (B, T, D)
    for name in ("output", "outer"):
        ours.get_submodule(name).register_forward_hook(
            lambda _module, _arguments, result, name=name: given.__setitem__(name, result)
        )
    x, mask = draw(rng, (25, 6), TINY[0])
    for name, before, norm in (
        ("output", nn.Identity(), nn.Sequential(ours.attention_norm, ours.output_norm)),
        ("outer", ours.attention_norm, ours.output_norm),
    ):
        draw_weights(rng, ours, name)
        theirs.load_state(ours.state_dict())
        evaluated = ours(x, mask)
        theirs.train()
        kept = kept_before_norm(theirs(x, mask), before(x), given[name], norm, dropout)
        assert_each_by_itself(kept, 1 - dropout)
        theirs.eval()
        assert_same(theirs(x, mask), evaluated)


@check(points=1, requires="layer-6", after="test_together")
def test_gradients(student, rng):
    """The values are right, but gradients do not reach every parameter and x as they should (nothing may be
    detached), there are more parameters than given, or the caller's tensors were changed: add with `+`, not
    with `+=`."""
    theirs, ours = make_layers(student, rng, HEADS[1])
    x, mask = draw(rng, TEXTS[0], HEADS[1][0])
    # Sums of gradients near 100 would differ by their rounding alone.
    weighing = 0.1 * torch.randn(x.shape, generator=rng)
    assert_gradients(student, theirs, ours, weighing, x, mask)
    mask[0, 3:] = False
    assert_untouched(student, theirs, x, mask)
