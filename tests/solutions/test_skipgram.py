"""The reference of `embeddings`: against its formula, numeric gradients, and the public stand-ins."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from nlpcourse.standins import embeddings as public
from nlpcourse.standins import stand_ins
from solutions.embeddings import skipgram
from solutions.embeddings.skipgram import SkipGram, sgns_gradient, sgns_loss, train_skipgram

B, K, D, V = 3, 5, 4, 7

FORMULA = (
    r"L = \frac{1}{B} \sum_{b=1}^{B} \Big[ -\log \sigma(v_b \cdot u_b) "
    r"- \sum_{k=1}^{K} \log \sigma(-v_b \cdot n_{bk}) \Big]"
)


def by_formula(v: list[list[float]], u: list[list[float]], n: list[list[list[float]]]) -> float:
    """`FORMULA`, sign by sign, in plain Python."""

    def log_sigma(x: float) -> float:
        return -math.log(1 + math.exp(-x))

    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    size, negatives = len(v), len(n[0])
    return (1 / size) * sum(
        -log_sigma(dot(v[b], u[b])) - sum(log_sigma(-dot(v[b], n[b][k])) for k in range(negatives))
        for b in range(size)
    )


def vectors(*, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    center, context = torch.randn(2, B, D, generator=generator, dtype=dtype)
    return center, context, torch.randn(B, K, D, generator=generator, dtype=dtype)


@pytest.mark.parametrize("loss", [sgns_loss, public.sgns_loss])
def test_the_equation_of_the_prose_is_the_code(loss) -> None:
    prose = Path(skipgram.__file__).with_name("exercise.md").read_text(encoding="utf-8")
    assert FORMULA in prose
    center, context, negatives = vectors()
    expected = by_formula(center.tolist(), context.tolist(), negatives.tolist())
    assert loss(center, context, negatives).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", [sgns_loss, public.sgns_loss])
def test_gradients_are_numeric_gradients(loss) -> None:
    arguments = [each.requires_grad_() for each in vectors()]
    assert torch.autograd.gradcheck(loss, arguments)


def test_the_gradient_by_hand_is_that_of_autograd() -> None:
    arguments = [each.requires_grad_() for each in vectors()]
    expected = torch.autograd.grad(sgns_loss(*arguments), arguments)
    with torch.no_grad():
        torch.testing.assert_close(sgns_gradient(*arguments), expected)


@pytest.mark.parametrize("loss", [sgns_loss, public.sgns_loss])
def test_huge_scores_stay_finite(loss) -> None:
    center = torch.tensor([[1000.0], [-1000.0]], requires_grad=True)
    one = torch.ones(2, 1)
    value = loss(center, one, one.unsqueeze(1))
    value.backward()
    assert value.item() == pytest.approx(1000.0)
    assert torch.isfinite(center.grad).all()


def test_both_models_agree() -> None:
    torch.manual_seed(0)
    reference, stand_in = (
        SkipGram(vocabulary_size=V, dimension=D),
        public.SkipGram(vocabulary_size=V, dimension=D),
    )
    assert list(reference.state_dict()) == list(stand_in.state_dict())
    nn.init.normal_(reference.context_vectors.weight)
    stand_in.load_state_dict(reference.state_dict())
    generator = torch.Generator().manual_seed(1)
    centers, contexts = torch.randint(V, (2, B), generator=generator)
    negatives = torch.randint(V, (B, K), generator=generator)
    for model in (reference, stand_in):
        model(centers, contexts, negatives).backward()
    torch.testing.assert_close(
        reference(centers, contexts, negatives), stand_in(centers, contexts, negatives)
    )
    for one, other in zip(reference.parameters(), stand_in.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("model_class", [SkipGram, public.SkipGram])
def test_the_first_vectors(model_class) -> None:
    torch.manual_seed(0)
    model = model_class(vocabulary_size=2000, dimension=10)
    center = model.center_vectors.weight
    assert center.abs().max() <= 0.05
    assert center.std().item() == pytest.approx(0.1 / math.sqrt(12), rel=0.02)  # of a uniform distribution
    assert not model.context_vectors.weight.any()


class Recorder(nn.Module):
    """A model that keeps what it was called with; its loss is 1 in a batch of two, 4 in a batch of one."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.calls: list[tuple[list[int], list[int], Tensor]] = []

    def forward(self, centers: Tensor, contexts: Tensor, negatives: Tensor) -> Tensor:
        assert self.training
        self.calls.append((centers.tolist(), contexts.tolist(), negatives))
        return self.weight.sum() * 0 + (1.0 if len(centers) == 2 else 4.0)


def recorded(seed: int = 0) -> tuple[Recorder, list[float]]:
    model = Recorder().eval()
    pairs = torch.tensor([[i, i + 10] for i in range(5)])
    noise = torch.tensor([0.0, 3.0, 1.0])
    generator = torch.Generator().manual_seed(seed)
    losses = train_skipgram(
        model, pairs, noise, epochs=3, batch_size=2, lr=0.1, num_negatives=400, generator=generator
    )
    return model, losses


def test_an_epoch_visits_every_pair_once_in_a_new_order() -> None:
    model, losses = recorded()
    assert not model.training
    assert losses == pytest.approx([(2 * 1 + 2 * 1 + 4) / 5] * 3)
    orders = []
    for epoch in range(3):
        calls = model.calls[3 * epoch : 3 * epoch + 3]
        assert [len(centers) for centers, _, _ in calls] == [2, 2, 1]
        orders.append([center for centers, _, _ in calls for center in centers])
        assert [context - 10 for _, contexts, _ in calls for context in contexts] == orders[-1]
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def test_negatives_follow_the_noise_weights() -> None:
    model, _ = recorded()
    drawn = torch.cat([negatives.flatten() for _, _, negatives in model.calls])
    assert drawn.dtype == torch.long and len(drawn) == 15 * 400
    counts = torch.bincount(drawn, minlength=3)
    assert counts[0] == 0
    assert counts[1].item() / len(drawn) == pytest.approx(0.75, abs=0.04)  # 7 standard deviations


def test_the_generator_decides_everything() -> None:
    (one, _), (same, _), (other, _) = recorded(0), recorded(0), recorded(1)
    assert [call[0] for call in one.calls] == [call[0] for call in same.calls]
    assert all(torch.equal(a[2], b[2]) for a, b in zip(one.calls, same.calls, strict=True))
    assert [call[0] for call in one.calls] != [call[0] for call in other.calls]


def test_a_step_is_a_step_of_adam() -> None:
    """With one pair and one possible negative nothing is random: a hand-made loop gives the same numbers."""
    torch.manual_seed(0)
    model, other = (public.SkipGram(vocabulary_size=2, dimension=D) for _ in range(2))
    other.load_state_dict(model.state_dict())
    pairs, noise = torch.tensor([[0, 1]]), torch.tensor([1.0, 0.0])
    losses = train_skipgram(
        model, pairs, noise, epochs=4, batch_size=3, lr=0.03, num_negatives=2, generator=torch.Generator()
    )
    optimizer = torch.optim.Adam(other.parameters(), lr=0.03)
    for loss in losses:
        expected = other(torch.tensor([0]), torch.tensor([1]), torch.tensor([[0, 0]]))
        assert loss == pytest.approx(expected.item(), rel=1e-6)
        optimizer.zero_grad()
        expected.backward()
        optimizer.step()
    torch.testing.assert_close(model.state_dict(), other.state_dict())


def test_stand_ins_take_a_place_and_give_it_back() -> None:
    namespace = {"sgns_loss": "mine"}
    with pytest.raises(ZeroDivisionError), stand_ins(namespace, "embeddings", "sgns_loss", "SkipGram"):
        assert namespace == {"sgns_loss": public.sgns_loss, "SkipGram": public.SkipGram}
        _ = 1 / 0
    assert namespace == {"sgns_loss": "mine"}
    with (
        pytest.raises(CourseError, match="topic embeddings has no stand-in 'glove_loss'"),
        stand_ins(namespace, "embeddings", "glove_loss"),
    ):
        pass
