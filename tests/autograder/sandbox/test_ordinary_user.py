"""The same attacks with the grader run by a user without privileges."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


MODULES = ("test_escapes.py", "test_limits.py", "test_layers.py", "test_provisioner.py", "test_warm.py")


@pytest.mark.slow
def test_every_attack_again_as_an_ordinary_user(sandbox, as_ordinary_user) -> None:
    """In one session of pytest, so that one template serves all."""
    modules = [str(HERE / module) for module in MODULES]
    done = as_ordinary_user("-m", "pytest", "-q", "-p", "no:cacheprovider", *modules)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout.splitlines()[-1], done.stdout[-3000:]
