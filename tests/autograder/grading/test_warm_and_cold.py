"""One submission graded in kernels forked from a template and in kernels of their own interpreter: the same record."""

from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell
from test_grading import NOISE
from tiny import WRONG

from autograder.sandbox import gate, provisioner, warm

LOOK = """import os, sys, torch
print(sorted(os.environ.items()), sys.path, os.getcwd(), hash("a"), torch.get_num_threads(), os.getpid())
model = torch.nn.Linear(2, 1)
torch.nn.init.ones_(model.weight)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
model(torch.ones(3, 2)).sum().backward(); optimizer.step()
print(model.weight)
"""


def shown(cell: NotebookNode) -> list[Any]:
    """A cell's outputs; how a stream is cut into messages is a matter of time, so streams are joined."""
    outputs = cell.get("outputs", [])
    streams = [each for each in outputs if each.output_type == "stream"]
    rest = [each for each in outputs if each.output_type != "stream"]
    return [
        *("".join(each.text for each in streams if each.name == name) for name in ("stdout", "stderr")),
        rest,
    ]


def test_cold_and_warm_kernels_give_the_same_record_and_the_same_outputs(tiny, monkeypatch):
    monkeypatch.setattr(warm, "_refused", {})
    notebook = tiny.notebook(
        absolute="import os\ndef absolute(x):\n    return abs(x) if x == int(x) else os._exit(1)",
        largest=WRONG.replace("absolute(x)", "largest(x)"),
    )
    notebook.cells.insert(0, new_code_cell(NOISE))
    notebook.cells.insert(3, new_code_cell(LOOK))
    notebook.cells.insert(4, new_code_cell("1 / 0"))
    forked = []
    fork = warm.Template.fork
    monkeypatch.setattr(warm.Template, "fork", lambda *given: forked.append(1) or fork(*given))
    graded = tiny.grade(notebook)
    assert len(forked) == 2  # the first answer ends its kernel

    monkeypatch.setattr(provisioner.warm, "start", lambda *given: gate.start("launch", *given))
    cold = tiny.grade(notebook)
    assert len(forked) == 2
    assert cold.record.to_json() == graded.record.to_json()
    outputs = [nbformat.reads(each.notebook.decode(), as_version=4).cells for each in (graded, cold)]
    for one, other in zip(*outputs, strict=True):
        assert shown(one) == shown(other), one.source
    assert any("PYTHONHASHSEED" in str(cell.get("outputs")) for cell in outputs[0])
