"""The same attacks with the grader run by a user without privileges."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    ["test_escapes.py", "test_limits.py", "test_layers.py", "test_provisioner.py", "test_warm.py"],
)
def test_every_attack_again_as_an_ordinary_user(sandbox, as_ordinary_user, module: str) -> None:
    done = as_ordinary_user("-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / module))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout.splitlines()[-1], done.stdout[-3000:]
