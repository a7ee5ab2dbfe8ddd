"""Four ways to tell attention where a place is; without one it sees a bag of vectors.

Sinusoids and learned vectors are absolute: they are added to the input. A relative bias is added to the scores. Rotary
positions turn queries and keys, so that a score depends on their distance alone.

Letters: `T` places, `D` width, `H` heads.
"""

import math

import torch
from torch import Tensor, nn


def sinusoidal_positions(length: int, d_model: int) -> Tensor:
    """A vector of waves for each place (Vaswani et al., 2017).

    entry (t, 2i) = sin(t / 10000^(2i / D)), entry (t, 2i + 1) = cos(t / 10000^(2i / D))

    Args:
        length: T, the number of places; they are counted from 0.
        d_model: D, an even number.

    Returns:
        (T, D) float32.

    Raises:
        ValueError: D is odd.
    """
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}, expected an even number: each wave has a sine and a cosine")
    ### BEGIN SOLUTION
    places = torch.arange(length, dtype=torch.float64).unsqueeze(1)  # (T, 1)
    waves = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)  # (D / 2,)
    angles = places * waves  # (T, D / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(start_dim=1).float()
    ### END SOLUTION


class LearnedPositions(nn.Module):
    """A vector for each place, learned like a word's (Gehring et al., 2017; Devlin et al., 2019).

    Args:
        max_length: how many places have a vector.
        d_model: D.
    """

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(max_length, d_model) * 0.02)

    def forward(self, length: int) -> Tensor:
        """(T, D), the vectors of the first T places.

        Raises:
            ValueError: there are not so many.
        """
        if length > len(self.weight):
            raise ValueError(
                f"a sequence has {length} places, but only {len(self.weight)} have a vector; shorten it"
            )
        return self.weight[:length]


class RelativeBias(nn.Module):
    """A number for each head and each distance, added to the scores (after Shaw et al., 2018; Raffel et al., 2020).

    Distances beyond `max_distance` share the number of `max_distance`, on each side.

    Args:
        num_heads: H.
        max_distance: how far a head can tell distances apart.
    """

    def __init__(self, num_heads: int, max_distance: int) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.weight = nn.Parameter(torch.zeros(num_heads, 2 * max_distance + 1))

    def forward(self, query_length: int, key_length: int) -> Tensor:
        """(H, T_q, T_k) float: entry (h, i, j) is what head h adds to the score of place i with place j."""
        device = self.weight.device
        distance = torch.arange(key_length, device=device) - torch.arange(
            query_length, device=device
        ).unsqueeze(1)
        clipped = distance.clamp(-self.max_distance, self.max_distance) + self.max_distance  # (T_q, T_k)
        return self.weight[:, clipped]


def rotate(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Turn each pair of entries by an angle that grows with the place (Su et al., 2021).

    Entries 2i and 2i + 1 of the vector at place t are a point of a plane; it is turned by t / base^(2i / D). The dot
    product of a query turned at place m and a key turned at place n depends on m - n alone.

    Args:
        x: (..., T, D) float, queries or keys; D is even.
        positions: (T,) long, the place of each.
        base: how slow the slowest plane turns.

    Returns:
        (..., T, D) float, vectors of the same lengths.
    """
    width = x.shape[-1]
    exponents = torch.arange(0, width, 2, device=x.device, dtype=torch.float32) / width
    angles = positions.unsqueeze(1) * torch.exp(-math.log(base) * exponents)  # (T, D / 2)
    sin, cos = angles.sin().to(x.dtype), angles.cos().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, D / 2)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(start_dim=-2)
