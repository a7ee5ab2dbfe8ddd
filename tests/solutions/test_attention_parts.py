"""The parts of the Transformer, against torch's own: values, gradients, masks."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlpcourse.standins import attention as public
from solutions.attention.additive import additive_attention
from solutions.attention.dot_product import scaled_dot_product_attention
from solutions.attention.fast import FastDecoderLayer, FastEncoderLayer, FastMultiHeadAttention
from solutions.attention.layer_norm import LayerNorm
from solutions.attention.layers import DecoderLayer, EncoderLayer
from solutions.attention.masks import causal_mask, padding_mask
from solutions.attention.multi_head import MultiHeadAttention
from solutions.attention.positions import sinusoidal_positions

B, H, T, S, D, F_WIDTH = 3, 2, 5, 7, 12, 20
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def random_mask(*shape: int, seed: int = 1) -> Tensor:
    """Any places may be hidden, but each row keeps one."""
    mask = torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.6
    mask[..., 2] = True
    return mask


def assert_same_with_gradients(
    one: Callable[..., Tensor], other: Callable[..., Tensor], *arguments: Tensor
) -> None:
    """Values, gradients of the arguments."""
    results = []
    for function in (one, other):
        leaves = [each.clone().requires_grad_() for each in arguments]
        value = function(*leaves)
        weight = drawn(*value.shape, seed=9)
        results.append((value, *torch.autograd.grad((value * weight).sum(), leaves)))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, **CLOSE)


@pytest.mark.parametrize("mask", [None, random_mask(T, S), random_mask(B, 1, 1, S), random_mask(B, H, T, S)])
def test_dot_product_is_that_of_torch(mask: Tensor | None) -> None:
    arguments = drawn(B, H, T, D), drawn(B, H, S, D, seed=1), drawn(B, H, S, D + 1, seed=2)
    assert_same_with_gradients(
        lambda q, k, v: scaled_dot_product_attention(q, k, v, mask)[0],
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask),
        *arguments,
    )
    _, weights = scaled_dot_product_attention(*arguments, mask)
    assert weights.shape == (B, H, T, S)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(B, H, T))
    if mask is not None:
        assert not weights[~mask.expand_as(weights)].any()


@pytest.mark.parametrize("attention", ["dot product", "additive", "fast"])
def test_a_place_that_sees_nothing_gets_zero_and_a_finite_gradient(attention: str) -> None:
    """A softmax over nothing but minus infinity would be nan."""
    query, key = drawn(B, T, D).requires_grad_(), drawn(B, S, D, seed=1).requires_grad_()
    if attention == "dot product":
        mask = random_mask(B, T, S)
        mask[1, 3] = False
        output, weights = scaled_dot_product_attention(query, key, key, mask)
        assert not output[1, 3].any() and not weights[1, 3].any()
    elif attention == "additive":
        mask = random_mask(B, S)
        mask[1] = False
        output, weights = additive_attention(
            query[:, 0], key, key, drawn(4, D, seed=2), drawn(4, D, seed=3), drawn(4), mask
        )
        assert not output[1].any() and not weights[1].any()
    else:
        mask = random_mask(B, 1, T, S)
        mask[1, 0, 3] = False
        module = FastMultiHeadAttention(D, H)
        output = module(query, key, key, mask)
        torch.testing.assert_close(output[1, 3], module.out_proj.bias)
    output.sum().backward()
    assert query.grad.isfinite().all() and key.grad.isfinite().all()


def test_huge_scores_stay_finite() -> None:
    query = torch.full((1, 2, 4), 1e3)
    key = torch.stack([torch.full((4,), 1e3), torch.full((4,), -1e3), torch.full((4,), 999.0)]).unsqueeze(0)
    output, weights = scaled_dot_product_attention(query, key, key)
    torch.testing.assert_close(weights, torch.tensor([1.0, 0.0, 0.0]).expand(1, 2, 3))
    assert output.isfinite().all()


def test_additive_attention_is_its_formula() -> None:
    query, keys, values = drawn(B, 4), drawn(B, S, 5, seed=1), drawn(B, S, 3, seed=2)
    w_query, w_key, v = drawn(6, 4, seed=3), drawn(6, 5, seed=4), drawn(6, seed=5)
    mask = random_mask(B, S)
    context, weights = additive_attention(query, keys, values, w_query, w_key, v, mask)
    for row in range(B):
        powers = [
            math.exp(sum(a * math.tanh(b) for a, b in zip(v.tolist(), hidden.tolist(), strict=True)))
            for hidden in (w_query @ query[row] + (w_key @ keys[row].T).T)
        ]
        seen = [power * bool(allowed) for power, allowed in zip(powers, mask[row], strict=True)]
        expected = torch.tensor(seen) / sum(seen)
        torch.testing.assert_close(weights[row], expected, **CLOSE)
        torch.testing.assert_close(context[row], expected @ values[row], **CLOSE)


def test_masks() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(0).shape == (0, 0)
    tokens = torch.tensor([[5, 6, 7], [5, 9, 9]])
    assert padding_mask(tokens, 9).tolist() == [[[[True] * 3]], [[[True, False, False]]]]
    assert padding_mask(tokens, 9).dtype == causal_mask(2).dtype == torch.bool


def torch_attention(mine: MultiHeadAttention | FastMultiHeadAttention) -> nn.MultiheadAttention:
    """torch's module with the same weights."""
    theirs = nn.MultiheadAttention(D, H, batch_first=True)
    state = mine.state_dict()
    load_attention(theirs, state, "")
    return theirs


def load_attention(theirs: nn.MultiheadAttention, state: dict[str, Tensor], prefix: str) -> None:
    for kind in ("weight", "bias"):
        parts = [state[f"{prefix}{name}_proj.{kind}"] for name in "qkv"]
        theirs.get_parameter(f"in_proj_{kind}").data = torch.cat(parts)
        theirs.out_proj.get_parameter(kind).data = state[f"{prefix}out_proj.{kind}"].clone()


@pytest.mark.parametrize("kind", [MultiHeadAttention, FastMultiHeadAttention])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("inputs", ["self", "cross", "three"])
def test_multi_head_is_that_of_torch(
    kind: type[MultiHeadAttention] | type[FastMultiHeadAttention], masked: bool, inputs: str
) -> None:
    torch.manual_seed(0)
    mine = kind(D, H)
    nn.init.normal_(mine.out_proj.bias)
    theirs = torch_attention(mine)
    length = T if inputs == "self" else S
    mask = random_mask(B, H, T, length) if masked else None
    hidden = None if mask is None else ~mask.flatten(0, 1)  # torch's module marks what is hidden

    def three(given: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = (*given, given[-1], given[-1])[:3]
        return query, key, value

    arguments = [
        drawn(B, T, D),
        *(drawn(B, S, D, seed=n) for n in range({"self": 0, "cross": 1, "three": 2}[inputs])),
    ]
    assert_same_with_gradients(
        lambda *given: mine(*three(given), mask),
        lambda *given: theirs(*three(given), attn_mask=hidden, need_weights=False)[0],
        *arguments,
    )


def test_a_width_that_heads_do_not_divide_is_refused() -> None:
    for kind in (MultiHeadAttention, FastMultiHeadAttention):
        with pytest.raises(ValueError, match="d_model is 10, expected a multiple of num_heads, which is 3"):
            kind(10, 3)


def test_layer_norm_is_that_of_torch() -> None:
    mine, theirs = LayerNorm(D, eps=1e-3), nn.LayerNorm(D, eps=1e-3)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(mine.state_dict(), theirs.state_dict())
    nn.init.normal_(theirs.weight)
    nn.init.normal_(theirs.bias)
    mine.load_state_dict(theirs.state_dict())
    for scale in (1e-3, 1.0, 1e3):
        assert_same_with_gradients(mine, theirs, drawn(B, T, D) * scale + 3 * scale)


def torch_layer(mine: nn.Module, theirs: nn.Module) -> nn.Module:
    """torch's layer with the weights of ours."""
    state = mine.state_dict()
    load_attention(theirs.self_attn, state, "self_attention.")  # type: ignore[arg-type]
    names = {"linear1": "linear_1", "linear2": "linear_2", "norm1": "norm_1", "norm2": "norm_2"}
    if hasattr(theirs, "multihead_attn"):
        load_attention(theirs.multihead_attn, state, "cross_attention.")  # type: ignore[arg-type]
        names["norm3"] = "norm_3"
    for name, own in names.items():
        for kind in ("weight", "bias"):
            theirs.get_submodule(name).get_parameter(kind).data = state[f"{own}.{kind}"].clone()
    return theirs


def randomised(module: nn.Module) -> nn.Module:
    """Norms and biases away from ones and zeros, so that each of them counts."""
    generator = torch.Generator().manual_seed(3)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return module


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("kind", [EncoderLayer, FastEncoderLayer])
def test_encoder_layer_is_that_of_torch(kind: type[EncoderLayer], norm_first: bool) -> None:
    mine = randomised(kind(D, H, F_WIDTH, norm_first=norm_first))
    theirs = torch_layer(
        mine,
        nn.TransformerEncoderLayer(D, H, F_WIDTH, dropout=0.0, batch_first=True, norm_first=norm_first),
    )
    mask = random_mask(B, H, T, T)
    assert_same_with_gradients(
        lambda x: mine(x, mask), lambda x: theirs(x, src_mask=~mask.flatten(0, 1)), drawn(B, T, D)
    )


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("kind", [DecoderLayer, FastDecoderLayer])
def test_decoder_layer_is_that_of_torch(kind: type[DecoderLayer], norm_first: bool) -> None:
    mine = randomised(kind(D, H, F_WIDTH, norm_first=norm_first))
    theirs = torch_layer(
        mine,
        nn.TransformerDecoderLayer(D, H, F_WIDTH, dropout=0.0, batch_first=True, norm_first=norm_first),
    )
    mask, memory_mask = random_mask(B, H, T, T), random_mask(B, H, T, S, seed=2)
    assert_same_with_gradients(
        lambda x, memory: mine(x, memory, mask, memory_mask),
        lambda x, memory: theirs(
            x, memory, tgt_mask=~mask.flatten(0, 1), memory_mask=~memory_mask.flatten(0, 1)
        ),
        drawn(B, T, D),
        drawn(B, S, D, seed=4),
    )


@pytest.mark.parametrize(
    ("clear", "fast"),
    [
        (MultiHeadAttention(D, H), FastMultiHeadAttention(D, H)),
        (EncoderLayer(D, H, F_WIDTH), FastEncoderLayer(D, H, F_WIDTH)),
        (DecoderLayer(D, H, F_WIDTH), FastDecoderLayer(D, H, F_WIDTH)),
    ],
)
def test_clear_and_fast_load_each_others_state_and_learn_alike(clear: nn.Module, fast: nn.Module) -> None:
    randomised(clear)
    fast.load_state_dict(clear.state_dict())
    assert set(fast.state_dict()) == set(clear.state_dict())
    torch.testing.assert_close(dict(fast.state_dict()), dict(clear.state_dict()))
    x, memory = drawn(B, T, D), drawn(B, S, D, seed=1)
    mask, memory_mask = causal_mask(T), random_mask(B, 1, 1, S)
    arguments = {
        MultiHeadAttention: (x, memory, memory, memory_mask),
        EncoderLayer: (x, mask),
        DecoderLayer: (x, memory, mask, memory_mask),
    }[type(clear)]
    for module in (clear, fast):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        module(*arguments).square().sum().backward()
        optimizer.step()
    for name, value in clear.state_dict().items():
        torch.testing.assert_close(fast.state_dict()[name], value, **CLOSE)


@pytest.mark.parametrize("kind", [EncoderLayer, FastEncoderLayer])
def test_dropout_stands_behind_each_sublayer_and_rests_in_evaluation(kind: type[EncoderLayer]) -> None:
    torch.manual_seed(0)
    layer = kind(D, H, F_WIDTH, dropout=0.9, norm_first=True)
    x = drawn(B, 400, D)
    torch.testing.assert_close(layer.eval()(x), layer(x))
    nn.init.zeros_(layer.linear_2.weight)
    nn.init.zeros_(layer.linear_2.bias)
    nn.init.ones_(layer.self_attention.out_proj.bias)
    dropped = (layer.train()(x) == x).float().mean().item()
    assert dropped == pytest.approx(0.9, abs=0.02)  # 7 standard deviations of 14,400 entries


def test_the_stand_ins_give_what_the_reference_gives() -> None:
    arguments = drawn(B, H, T, D), drawn(B, H, S, D, seed=1), drawn(B, H, S, 3, seed=2)
    for mask in (None, random_mask(B, 1, T, S), torch.zeros(T, S, dtype=torch.bool)):
        torch.testing.assert_close(
            public.scaled_dot_product_attention(*arguments, mask),
            scaled_dot_product_attention(*arguments, mask),
        )
    assert torch.equal(public.causal_mask(5), causal_mask(5))
    tokens = torch.tensor([[5, 6, 7], [5, 9, 9]])
    assert torch.equal(public.padding_mask(tokens, 9), padding_mask(tokens, 9))
    torch.testing.assert_close(public.sinusoidal_positions(30, 10), sinusoidal_positions(30, 10))


@pytest.mark.parametrize("mask", [None, random_mask(T, S), random_mask(B, 1, 1, S), random_mask(B, H, T, S)])
def test_the_heads_that_are_lent_are_those_of_the_reference(mask: Tensor | None) -> None:
    mine, lent = randomised(MultiHeadAttention(D, H)), public.MultiHeadAttention(D, H)
    lent.load_state_dict(mine.state_dict())
    x, memory = drawn(B, T, D), drawn(B, S, D, seed=1)
    torch.testing.assert_close(lent(x, memory, memory, mask), mine(x, memory, memory, mask))


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_decoder_layer_that_is_lent_is_the_reference(norm_first: bool) -> None:
    mine = randomised(DecoderLayer(D, H, F_WIDTH, norm_first=norm_first))
    lent = public.DecoderLayer(D, H, F_WIDTH, norm_first=norm_first)
    lent.load_state_dict(mine.state_dict())
    x, memory = drawn(B, T, D), drawn(B, S, D, seed=1)
    masks = causal_mask(T), random_mask(B, 1, 1, S)
    torch.testing.assert_close(lent(x, memory, *masks), mine(x, memory, *masks))
