"""Hidden checks of `sinusoidal_positions`: the first wave, where waves stand, how long they are, far places."""

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import positions as reference


@check(points=1, requires="waves-1")
def test_first_wave(student, rng):
    """With a width of two there is one wave, and its angle is the place itself, counted from zero: the sine in
    the first column, the cosine in the second."""
    for length in (7, 1, 12):
        assert_same(
            student.sinusoidal_positions(length, 2), reference.sinusoidal_positions(length, 2), absolute=1e-4
        )


@check(points=1, requires="waves-3", after="test_first_wave")
def test_lengths_of_the_waves(student, rng):
    """One wave is right, several are not: the exponent begins with zero and grows from wave to wave by the
    same step, in which the width is the divisor. Looked at as
    a set, whatever columns they stand in, the entries of each row are not those of the formula."""
    for length, width in ((7, 6), (12, 4), (5, 10)):
        found = student.sinusoidal_positions(length, width)
        wanted = reference.sinusoidal_positions(length, width)
        assert found.shape == wanted.shape
        assert_same(found.sort(dim=1).values, wanted.sort(dim=1).values, absolute=1e-4)


@check(points=1, requires="waves-2", after="test_lengths_of_the_waves")
def test_columns(student, rng):
    """The entries are right but stand in other columns: the sine and the cosine of a wave are neighbours; the
    sines are not all in the first half."""
    for length, width in ((7, 6), (12, 4), (5, 10)):
        assert_same(
            student.sinusoidal_positions(length, width),
            reference.sinusoidal_positions(length, width),
            absolute=1e-4,
        )


@check(points=1, requires="waves-4", after="test_columns")
def test_far_places(student, rng):
    """Near places are right, far ones are not: an angle of many thousands leaves a number of single precision too few
    digits behind the point. Compute the angles in double precision."""
    found = student.sinusoidal_positions(100_001, 6)  # with fewer waves, single precision would do
    wanted = reference.sinusoidal_positions(100_001, 6)
    assert found.shape == wanted.shape
    assert_same(found[-1000:], wanted[-1000:], relative=0, absolute=1e-4)
