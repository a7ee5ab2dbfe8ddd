"""Learning rate schedules: plain functions of the step, as a share of the highest learning rate.

All of them rise in a straight line over the first `warmup` steps; they differ in how they fall.
"""

import math
from collections.abc import Callable


def constant(step: int, steps: int, warmup: int) -> float:
    """No fall."""
    return _rise(step, warmup)


def linear(step: int, steps: int, warmup: int) -> float:
    """A straight line to 0 at the end, as in BERT (Devlin et al., 2019)."""
    return _rise(step, warmup) if step < warmup else 1.0 - _share(step, steps, warmup)


def cosine(step: int, steps: int, warmup: int) -> float:
    """Half a wave down to a tenth, as in GPT-3 (Brown et al., 2020)."""
    if step < warmup:
        return _rise(step, warmup)
    return 0.1 + 0.9 * 0.5 * (1.0 + math.cos(math.pi * _share(step, steps, warmup)))


def inverse_sqrt(step: int, steps: int, warmup: int) -> float:
    """1 / sqrt(step), as in the Transformer (Vaswani et al., 2017); it does not ask how long the training is."""
    return _rise(step, warmup) if step < warmup else math.sqrt(max(warmup, 1) / (step + 1))


def _rise(step: int, warmup: int) -> float:
    """From 1 / warmup at step 0 to 1: the first step moves, too."""
    return min(1.0, (step + 1) / max(warmup, 1))


def _share(step: int, steps: int, warmup: int) -> float:
    """How much of the way after the warm-up lies behind, from 0 to 1."""
    return min(1.0, (step - warmup) / max(steps - warmup, 1))


SCHEDULES: dict[str, Callable[[int, int, int], float]] = {
    each.__name__: each for each in (constant, linear, cosine, inverse_sqrt)
}
"""By name; each is called with the number of the step (from 0), of all steps, and of the steps of the warm-up."""
