"""The seed of every check: fresh to the student, the same whenever the same bytes are graded again."""

import hashlib
import hmac
import json
from collections.abc import Callable


def digest(submission: bytes) -> str:
    """SHA-256 of the submitted bytes, in hexadecimal."""
    return hashlib.sha256(submission).hexdigest()


def seed_maker(salt: bytes, topic: str, student: str, submission_digest: str) -> Callable[[str], int]:
    """A function from the id of a check to its seed, in [0, 2**63).

    The seed is the head of HMAC-SHA256 under the class's secret salt, so nobody without the salt can tell it in
    advance, and a changed byte of the submission changes every seed.

    Args:
        salt: the class's secret, at least 16 bytes.
        topic: the assignment.
        student: the student's id.
        submission_digest: see `digest`.
    """
    if len(salt) < 16:
        raise ValueError(f"a salt of {len(salt)} bytes; at least 16 are needed to keep seeds secret")

    def seed_of(check: str) -> int:
        message = json.dumps([topic, student, submission_digest, check]).encode()
        return int.from_bytes(hmac.digest(salt, message, "sha256")[:8], "big") >> 1

    return seed_of


def derived(seed: int, purpose: str) -> int:
    """Another seed made from `seed`, in [0, 2**63); nobody finds the way back."""
    return int.from_bytes(hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:8], "big") >> 1
