"""What must not be punished: honest notebooks of the small assignment, each with something that graders stumble over.

Every entry makes the file from the notebook handed out.
"""

import json
from collections.abc import Callable

import nbformat
from attack import answered
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from tiny import HONEST

Make = Callable[[NotebookNode], bytes]


def answers(**texts: str) -> Make:
    """Other answers; they too are right."""
    return lambda blank: nbformat.writes(answered(blank, **texts)).encode()


def cells(*sources: str) -> Make:
    """Cells in front of the answers, and again at the end."""

    def make(blank: NotebookNode) -> bytes:
        notebook = answered(blank)
        notebook.cells[3:3] = [new_code_cell(source) for source in sources]
        notebook.cells += [new_code_cell(source) for source in sources]
        return nbformat.writes(notebook).encode()

    return make


def edited(edit: Callable[[NotebookNode], bytes | None]) -> Make:
    """A file as some editor writes it."""

    def make(blank: NotebookNode) -> bytes:
        notebook = answered(blank)
        return edit(notebook) or nbformat.writes(notebook).encode()

    return make


def _colab(notebook: NotebookNode) -> bytes:
    """Colab keeps ids in the metadata, adds outputs and settings, and writes format 4.0."""
    content = json.loads(nbformat.writes(notebook))
    content["nbformat_minor"] = 0
    content["metadata"] |= {"colab": {"provenance": [], "toc_visible": True}, "accelerator": "GPU"}
    content["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    for number, cell in enumerate(content["cells"]):
        cell["metadata"] |= {
            "id": f"aB{number}",
            "outputId": "1c",
            "colab": {"base_uri": "https://localhost:8080/"},
        }
        cell.pop("id", None)
    return json.dumps(content).encode()


def _vs_code(notebook: NotebookNode) -> bytes:
    """VS Code adds the language to every cell and its own kernel, and ends the file without a newline."""
    content = json.loads(nbformat.writes(notebook))
    content["metadata"]["kernelspec"] = {
        "name": "venv",
        "display_name": "venv (3.12.1)",
        "language": "python",
    }
    content["metadata"]["language_info"] = {
        "name": "python",
        "version": "3.12.1",
        "nbconvert_exporter": "python",
    }
    for cell in content["cells"]:
        cell["metadata"]["vscode"] = {"languageId": "python"}
        cell["execution_count"] = 7
    for cell in content["cells"]:
        if cell["cell_type"] != "code":
            del cell["execution_count"]
    return json.dumps(content, ensure_ascii=False).rstrip().encode()


def _windows(notebook: NotebookNode) -> bytes:
    """A byte-order mark, CR LF in the file and in the cells, tabs in the code."""
    for cell in notebook.cells:
        cell.source = (
            cell.source.replace("    ", "\t").replace("\n", "\r\n") if cell.id in HONEST else cell.source
        )
    return b"\xef\xbb\xbf" + nbformat.writes(notebook).replace("\n", "\r\n").encode()


def _run_twice(notebook: NotebookNode) -> None:
    """Saved with outputs, one of them an error of an earlier try."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 12
            error = nbformat.v4.new_output(
                "error", ename="NameError", evalue="earlier", traceback=["earlier"]
            )
            cell.outputs = [nbformat.v4.new_output("stream", text="earlier"), error]


def _notes(notebook: NotebookNode) -> None:
    """Notes between the cells, with pictures, formulas and HTML."""
    for at in range(len(notebook.cells), 2, -2):
        notebook.cells.insert(
            at, new_markdown_cell("# 我的笔记 🎉\n<b>x</b> $a < b$ ![p](https://example.org/p.png)")
        )


HONEST_NOTEBOOKS: dict[str, Make] = {
    "a warning on stderr": answers(
        absolute="import sys, warnings\nwarnings.warn('deprecated')\nprint('note', file=sys.stderr)\n"
        + HONEST["absolute"]
    ),
    "a warning at every call": answers(
        absolute="import warnings\nwarnings.simplefilter('always')\n"
        "def absolute(x):\n    warnings.warn('careful')\n    return x if x >= 0 else -x"
    ),
    "prints at every call": answers(
        total="def total(values):\n    print('values', values)\n    return sum(absolute(value) for value in values)"
    ),
    "logging": answers(
        absolute="import logging\nlogging.basicConfig(level=logging.DEBUG, force=True)\n"
        "def absolute(x):\n    logging.warning('x is %s', x)\n    return abs(x)"
    ),
    "progress bars": cells(
        "import sys, time\nfor step in range(200):\n"
        "    sys.stderr.write(f'\\r{step / 2:3.0f}%|' + '█' * (step // 8)); sys.stderr.flush()\nprint()",
    ),
    "tqdm": cells(
        "try:\n    from tqdm.auto import tqdm, trange\nexcept ImportError:\n    tqdm, trange = iter, range\n"
        "for step in tqdm(range(50)): pass\nfor step in trange(3): pass"
    ),
    "figures inline": cells(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.title('损失'); plt.show()"
    ),
    "an experiment that failed": cells("raise ValueError('an experiment')", "1 / 0", "import google.colab"),
    "magics": cells(
        "%time sum(range(9))", "%%capture\nprint('x')", "%config InlineBackend.figure_format = 'png'", "!ls"
    ),
    "a timed answer": answers(absolute="%%time\n" + HONEST["absolute"]),
    "helper functions": answers(
        absolute="def sign(x):\n    return (x > 0) - (x < 0)\n\ndef absolute(x):\n    return type(x)(x * sign(x))"
    ),
    "other names and another way": answers(
        absolute="absolute = lambda zahl: max(zahl, -zahl)",
        total="def total(values):\n    result = 0\n"
        "    for each in values:\n        result += abs(each)\n    return result",
        largest="def largest(values):\n    return sorted(values)[-1]",
    ),
    "a callable object": answers(
        absolute="class Absolute:\n    def __call__(self, x):\n"
        "        return x if x >= 0 else -x\nabsolute = Absolute()"
    ),
    "type hints and a docstring": answers(
        absolute="from __future__ import annotations\n"
        'def absolute(x: int | float) -> int | float:\n    """绝对值。"""\n'
        "    return x if x >= 0 else -x"
    ),
    "comments in Chinese and emoji": answers(
        absolute="# 绝对值 🎉\ndef 绝对值(数):\n    return 数 if 数 >= 0 else -数\nabsolute = 绝对值  # 完成 ✅"
    ),
    "seeds of one's own": cells(
        "import random, numpy, torch\nrandom.seed(1); numpy.random.seed(1); torch.manual_seed(1)\n"
        "torch.set_default_dtype(torch.float64)"
    ),
    "gradients off": cells(
        "import torch\ntorch.set_grad_enabled(False)\ntorch.use_deterministic_algorithms(True)"
    ),
    "builtins hidden by names": cells("sum_, input, list_ = 3, 4, 5\nid = 3\ntype_ = 'x'\nprint_ = print"),
    "another working folder and files": cells(
        "import os, pathlib, tempfile\nos.makedirs('data', exist_ok=True); os.chdir('data')\n"
        "pathlib.Path('损失.txt').write_text('1')\nwith tempfile.TemporaryFile() as file: file.write(b'x' * 10_000)"
    ),
    "exit in a cell": cells("exit()", "quit"),
    "a restart, as after installing something": cells(
        "import IPython\nIPython.Application.instance().kernel.do_shutdown(True)"
    ),
    "warnings are errors": cells(
        "import warnings\nimport numpy as np\nwarnings.simplefilter('error')\nnp.seterr(all='raise')"
    ),
    "output goes elsewhere": cells("import io, sys\nsys.stdout = io.StringIO()"),
    "no stream for errors": cells("import sys\nsys.stderr = None", "import sys\nsys.stdout = None"),
    "output in a file that is closed": cells("import sys\nwith open('log.txt', 'w') as sys.stdout: print(3)"),
    "output to an object that only writes": cells(
        "import sys\nclass Log:\n    def write(self, text): pass\nsys.stdout = sys.stderr = Log()\nprint(3)"
    ),
    "the namespace emptied, a debugger asked for": cells("%reset -f", "%pdb on", "1 / 0", "breakpoint()"),
    "a task that never ends": cells(
        "import asyncio\nasync def tick():\n    while True: await asyncio.sleep(0.01)\n"
        "ticking = asyncio.create_task(tick())"
    ),
    "a loop of one's own": cells("import asyncio\nasyncio.set_event_loop(asyncio.new_event_loop())"),
    "workers that load data": cells(
        "from torch.utils.data import DataLoader\nlist(DataLoader(range(8), num_workers=2))"
    ),
    "torch set up for good": cells(
        "import torch\ntorch.set_default_device('cpu')\ntorch.autograd.set_detect_anomaly(True)\n"
        "guard = torch.inference_mode()\nguard.__enter__()"
    ),
    "await at the top": cells("import asyncio\nawait asyncio.sleep(0)"),
    "threads and a pool": cells(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: print(list(pool.map(abs, [-1, 2])))"
    ),
    "input is asked for": cells("name = input('your name? ')"),
    "a long output": cells("for n in range(20_000): print('step', n, 'loss', 1 / (n + 1))"),
    "notes between the cells": edited(_notes),
    "saved with old outputs": edited(_run_twice),
    "saved by Colab": edited(_colab),
    "saved by VS Code": edited(_vs_code),
    "saved on Windows": edited(_windows),
    "answers moved into added cells": lambda blank: nbformat.writes(_moved(blank)).encode(),
}


def _moved(blank: NotebookNode) -> NotebookNode:
    """The answer cells only delete the stub's error; the functions stand in cells below them."""
    notebook = answered(blank, absolute="# below", largest="# below")
    for name in ("absolute", "largest"):
        at = next(index for index, cell in enumerate(notebook.cells) if cell.id == name)
        notebook.cells.insert(at + 1, new_code_cell(HONEST[name]))
    return notebook
