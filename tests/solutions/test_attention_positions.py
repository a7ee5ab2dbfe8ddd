"""Positions: the waves, what is relative about them, and rotations."""

import math

import pytest
import torch

from solutions.attention.positions import LearnedPositions, RelativeBias, rotate, sinusoidal_positions


def test_the_waves_are_their_formula() -> None:
    waves = sinusoidal_positions(50, 6)
    assert waves.shape == (50, 6) and waves.dtype == torch.float32
    for place in (0, 1, 49):
        for i in range(3):
            angle = place / 10000 ** (2 * i / 6)
            assert waves[place, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert waves[place, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)
    with pytest.raises(ValueError, match="d_model is 7, expected an even number"):
        sinusoidal_positions(3, 7)


def test_far_places_are_as_exact_as_near_ones() -> None:
    waves = sinusoidal_positions(100_000, 4)
    assert waves[99_999, 0].item() == pytest.approx(math.sin(99_999), abs=1e-6)


def test_a_step_of_any_length_is_one_linear_map_for_all_places() -> None:
    """The linear relative property: the vector at t + k is a rotation, the same for all t, of the one at t."""
    waves = sinusoidal_positions(60, 8).double()
    for step in (1, 7):
        turned, _, _, _ = torch.linalg.lstsq(waves[:-step], waves[step:])
        torch.testing.assert_close(waves[:-step] @ turned, waves[step:], rtol=0, atol=1e-5)
    products = waves @ waves.T
    for distance in (1, 5):
        near = products.diagonal(distance)
        torch.testing.assert_close(near, near[:1].expand_as(near), rtol=0, atol=1e-5)


def test_a_rotated_score_depends_on_the_distance_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 8, generator=generator, dtype=torch.float64)
    places = torch.arange(12)
    scores = rotate(query.expand(12, 8), places) @ rotate(key.expand(12, 8), places).T  # (12, 12)
    for distance in (-3, 0, 4):
        band = scores.diagonal(distance)
        torch.testing.assert_close(band, band[:1].expand_as(band), rtol=0, atol=1e-5)
    assert scores[0].std() > 0.1
    torch.testing.assert_close(rotate(query.unsqueeze(0), torch.tensor([0])), query.unsqueeze(0))


def test_a_rotation_is_one_of_complex_numbers() -> None:
    x = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1))
    places = torch.tensor([3, 0, 11, 4, 7])
    angles = places.unsqueeze(1) / 10000 ** (torch.arange(0, 6, 2) / 6)
    expected = torch.view_as_complex(x.view(2, 5, 3, 2)) * torch.polar(torch.ones(5, 3), angles)
    torch.testing.assert_close(rotate(x, places), torch.view_as_real(expected).flatten(-2))


def test_a_relative_bias_knows_distances_up_to_its_bound() -> None:
    bias = RelativeBias(2, 3)
    torch.nn.init.normal_(bias.weight)
    table = bias(4, 9)
    assert table.shape == (2, 4, 9)
    for i in range(4):
        for j in range(9):
            assert torch.equal(table[:, i, j], bias.weight[:, min(max(j - i, -3), 3) + 3])


def test_learned_positions_end() -> None:
    positions = LearnedPositions(5, 4)
    assert torch.equal(positions(3), positions.weight[:3])
    with pytest.raises(ValueError, match="a sequence has 6 places, but only 5 have a vector"):
        positions(6)
