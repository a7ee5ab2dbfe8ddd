"""`python -m autograder.proof try` says at once whether the checks judge the known answers as declared."""

import pytest
from typer.testing import CliRunner

from autograder.proof.__main__ import app
from autograder.proof.variants import Case

RIGHT = (
    "def sgns_loss(center, context, negatives):\n"
    "    scores = torch.einsum('bd,bkd->bk', center, negatives)\n"
    "    return (F.softplus(-(center * context).sum(-1)) + F.softplus(scores).sum(-1)).mean()"
)


def tried(monkeypatch: pytest.MonkeyPatch, *cases: Case) -> tuple[int, str]:
    monkeypatch.setattr("autograder.proof.variants.cases", lambda assignment: list(cases))
    result = CliRunner().invoke(app, ["try", "embeddings", "sgns_loss"])
    return result.exit_code, result.output


def test_answers_judged_as_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    summed = RIGHT.replace(".mean()", ".sum()")
    code, said = tried(
        monkeypatch,
        Case("sgns_loss", "plain", "right", RIGHT),
        Case("sgns_loss", "summed", "wrong", summed, "so", ("test_batch_is_averaged",)),
    )
    assert code == 0, said
    assert "as it should be" in said


def test_a_wrong_declaration_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = tried(monkeypatch, Case("sgns_loss", "not wrong", "wrong", RIGHT, "so", ("test_gradients",)))
    assert code == 1
    assert "failed nothing, expected test_gradients" in said


def test_an_answer_that_cannot_be_defined_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = tried(monkeypatch, Case("sgns_loss", "broken", "right", "1 / 0"))
    assert code == 1
    assert "ZeroDivisionError" in said
