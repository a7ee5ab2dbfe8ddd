"""Judging what was drawn, with a bound on how often a right answer is called wrong.

Chernoff's bound: of n independent events of probability p, a share s or one further out on the same side
happens with a probability of at most exp(-n KL(s || p)). Here both sides together get `FALSE_ALARM`. No check
module makes more than 200 such comparisons, so a right answer loses a point with a probability below 2e-7.
"""

import math

from torch import Tensor

FALSE_ALARM = 1e-9


def assert_share(happened: Tensor, probability: float) -> None:
    """About a share of `probability` of independent events happened.

    Args:
        happened: bool or 0 and 1, any shape, at least one entry.
        probability: above 0 and below 1.
    """
    share = happened.double().mean().item()
    parts = (share, probability), (1 - share, 1 - probability)
    divergence = sum(part * math.log(part / expected) for part, expected in parts if part > 0)
    assert happened.numel() * divergence <= math.log(2 / FALSE_ALARM), f"{share} is not {probability}"


def assert_each_by_itself(happened: Tensor, probability: float) -> None:
    """A share of `probability` of the events happened, and neighbours know nothing of each other.

    Neighbours in a pair, of which no two share an entry, agree as often as chance has it: along no dimension does one
    draw serve for several entries, and no number of them is fixed.

    Args:
        happened: bool or 0 and 1, any shape; a dimension has at least two entries, else it is passed over.
        probability: above 0 and below 1.
    """
    assert_share(happened, probability)
    for dim, size in enumerate(happened.shape):
        if size > 1:
            places = happened.movedim(dim, 0)
            agree = places[: size // 2 * 2 : 2] == places[1::2]
            assert_share(agree, probability**2 + (1 - probability) ** 2)
