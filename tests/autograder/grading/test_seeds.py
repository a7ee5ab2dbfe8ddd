"""Seeds are the same for the same submission and fresh for everything else."""

import pytest

from autograder.grading.seeds import digest, seed_maker

SALT = b"0123456789abcdef"


def test_every_part_of_the_key_changes_the_seed():
    base = (SALT, "embeddings", "ada", digest(b"notebook"))
    other = [
        (SALT[::-1], *base[1:]),
        (SALT, "mlp", *base[2:]),
        (SALT, "embeddings", "bob", base[3]),
        (*base[:3], digest(b"notebook ")),
    ]
    seeds = [seed_maker(*key)("f/test_a") for key in (base, *other)] + [seed_maker(*base)("f/test_b")]
    assert len(set(seeds)) == len(seeds)
    assert seed_maker(*base)("f/test_a") == seeds[0]
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_fields_cannot_run_into_each_other():
    assert seed_maker(SALT, "ab", "c", "d")("e") != seed_maker(SALT, "a", "bc", "d")("e")


def test_a_short_salt_is_refused():
    with pytest.raises(ValueError, match="16"):
        seed_maker(b"short", "t", "s", "d")
