"""Known answers to `sinusoidal_positions`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`torch.arange(length)` for `torch.arange(length, dtype=torch.float64)`": "rates are in double precision",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """The waves of a few lengths and widths."""
    return student.sinusoidal_positions(1 + seed % 23, 2 + 2 * (seed % 7))


# --- Wrong -----------------------------------------------------------------------------------------------


def waves(angles):
    """(T, D) from angles (T, D / 2), sine and cosine side by side."""
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).float()


@wrong(thinking="First all sines, then all cosines.", fails=("test_columns",))
def sines_then_cosines(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    angles = places / 10000 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


@wrong(thinking="Cosine before sine.", fails=("test_first_wave",))
def cosine_first(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    angles = places / 10000 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    return torch.stack([angles.cos(), angles.sin()], dim=-1).flatten(1).float()


@wrong(thinking="Places are counted from 1.", fails=("test_first_wave",))
def counted_from_one(length, d_model):
    places = torch.arange(1, length + 1, dtype=torch.float64)[:, None]
    return waves(places / 10000 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model))


@wrong(thinking="The exponent is i / D.", fails=("test_lengths_of_the_waves",))
def half_the_exponent(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    return waves(places / 10000 ** (torch.arange(d_model // 2, dtype=torch.float64) / d_model))


@wrong(thinking="The last wave has the length 10000.", fails=("test_lengths_of_the_waves",))
def up_to_the_end(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    steps = torch.linspace(0, 1, d_model // 2, dtype=torch.float64)
    return waves(places / 10000**steps)


@wrong(
    thinking="Waves grow by 2 in the exponent, i from 0 in steps of 2.", fails=("test_lengths_of_the_waves",)
)
def twice_the_exponent(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    return waves(places / 10000 ** (2 * torch.arange(0, d_model, 2, dtype=torch.float64) / d_model))


@wrong(
    thinking="Each wave is a hundred times as long as the one before, as in the example.",
    fails=("test_lengths_of_the_waves",),
)
def a_hundred_times_as_long(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    return waves(places / 100.0 ** torch.arange(d_model // 2, dtype=torch.float64))


@wrong(thinking="Each column has an exponent of its own.", fails=("test_first_wave",))
def exponent_of_the_column(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None]
    angles = places / 10000 ** (torch.arange(d_model, dtype=torch.float64) / d_model)
    angles[:, 0::2], angles[:, 1::2] = angles[:, 0::2].sin(), angles[:, 1::2].cos()
    return angles.float()


@wrong(thinking="Angles are given in degrees of a circle: times two pi.", fails=("test_first_wave",))
def whole_circles(length, d_model):
    places = torch.arange(length, dtype=torch.float64)[:, None] * 2 * math.pi
    return waves(places / 10000 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model))


@wrong(thinking="Positions are added to 32-bit vectors, so 32 bits are enough.", fails=("test_far_places",))
def angles_in_32_bits(length, d_model):
    places = torch.arange(length, dtype=torch.float32)[:, None]
    return waves(places * 10000 ** (-torch.arange(0, d_model, 2, dtype=torch.float32) / d_model))


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Loops in Python.")
def loops(length, d_model):
    rows = []
    for t in range(length):
        row = []
        for i in range(0, d_model, 2):
            angle = t / 10000 ** (i / d_model)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return torch.tensor(rows)


@right(looks="Every second column of an empty table; a logarithm for the power.")
def every_second_column(length, d_model):
    table = torch.empty(length, d_model, dtype=torch.float64)
    rates = torch.exp(torch.arange(0, d_model, 2).double() * (-math.log(10000.0) / d_model))
    table[:, 0::2] = torch.sin(torch.arange(length).double().unsqueeze(1) * rates)
    table[:, 1::2] = torch.cos(torch.arange(length).double().unsqueeze(1) * rates)
    return table


@right(looks="Sines only: a cosine is a sine a quarter turn ahead.")
def quarter_turn(length, d_model):
    column = torch.arange(d_model)
    rates = 10000.0 ** (-(column - column % 2).double() / d_model)
    return torch.sin(torch.outer(torch.arange(length).double(), rates) + (column % 2) * (math.pi / 2))


@right(looks="NumPy.")
def numpy(length, d_model):
    import numpy as np

    angles = np.arange(length)[:, None] / np.power(10000, np.arange(0, d_model, 2) / d_model)
    return torch.from_numpy(np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(length, d_model))


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(length, d_model):
    return torch.zeros(length, d_model)


@cheat(kind="input")
def its_own_input(length, d_model):
    return torch.tensor([float(length), float(d_model)])


@cheat(kind="noise")
def noise(length, d_model):
    return torch.randn(length, d_model)


@cheat(kind="remembered")
def remembered(length, d_model, memory=[]):  # noqa: B006
    if not memory:
        places = torch.arange(length, dtype=torch.float64)[:, None]
        memory.append(waves(places / 10000 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)))
    return memory[0]
