"""Attacks by what the answer gives or learns (rows 33, 34, 38 and 40 to 42)."""

from attack import Attack

PAYLOAD = """
import io, os, pickle, torch
class Payload:
    def __reduce__(self):
        return os.system, ("touch /tmp/nlpcourse-attack-opened",)
"""

ODD_VALUES = {
    "not a number": "float('nan')",
    "infinity": "float('inf')",
    "complex": "complex(x)",
    "a tensor of the right value": "__import__('torch').tensor(abs(x))",
    "a string": "str(abs(x))",
    "a list": "[abs(x)]",
    "2**200": "2 ** 200",
    "sparse": "__import__('torch').ones(2, 2).to_sparse()",
    "on no device": "__import__('torch').ones(2, device='meta')",
    "a terabyte that is one number": "__import__('torch').ones(1).expand(2 ** 40)",
    "nothing": "None",
    "true": "True",
    "lazy": "(abs(x) for _ in range(3))",
}

ECHO = """
import inspect, sys
def absolute(x):
    seen = {frame.function: {n: repr(v)[:80] for n, v in frame.frame.f_locals.items()} for frame in inspect.stack()}
    print(x, seen)
    print(x, seen, file=sys.stderr)
    raise ValueError(repr((x, seen)) * 50)
"""

DETECT = """
import os, sys, inspect, time
def graded():
    marks = [name for name in os.environ if "GRAD" in name.upper() or "OTTER" in name.upper()]
    marks += [each for each in sys.argv + [os.getcwd()] if "grad" in each.lower() or "otter" in each.lower()]
    return bool(marks) or os.path.exists("/autograder")
print("GOT" if graded() else "REFUSED", "a mark of grading")
if graded():
    import builtins
    builtins.AssertionError = type("Never", (Exception,), {})
"""

ATTACKS = (
    Attack(
        33, "a payload instead of a number", "N", (PAYLOAD,), answer="def absolute(x):\n    return Payload()"
    ),
    Attack(
        33,
        "a pickled payload",
        "N",
        (PAYLOAD,),
        answer="def absolute(x):\n    return pickle.dumps(Payload())",
    ),
    Attack(
        33,
        "payloads in files",
        "N",
        (
            PAYLOAD + "for name in ('results.pkl', 'otter.pkl', 'model.pt', '.OTTER_LOG'):\n"
            "    with open(name, 'wb') as file: pickle.dump(Payload(), file)",
        ),
    ),
    *(
        Attack(34, name, "N", answer=f"def absolute(x):\n    return {value}")
        for name, value in ODD_VALUES.items()
    ),
    Attack(38, "inputs and frames echoed", "N", answer=ECHO, never=("Hint: floats", "expected=", "seed_of")),
    Attack(
        38,
        "inputs kept and shown later",
        "N",
        answer="kept = []\ndef absolute(x):\n    kept.append(x)\n    return x",
        after=("print('INPUTS', kept)",),
    ),
    Attack(40, "a mark of grading is looked for", "B", (DETECT,)),
    Attack(
        40,
        "the caller is looked at",
        "N",
        answer="import sys\ndef absolute(x):\n"
        "    names = set()\n    frame = sys._getframe()\n"
        "    while frame:\n        names.add(frame.f_code.co_name)\n        frame = frame.f_back\n"
        "    return abs(x) if names & {'test_values', 'pytest_pyfunc_call', 'run_hidden', 'grade'} else x",
    ),
    Attack(
        41,
        "the values of the test in the notebook",
        "N",
        answer="def absolute(x):\n    return 3 if x == -3 else x",
    ),
    Attack(
        41,
        "a table for a known seed",
        "N",
        answer="import torch\ntorch.manual_seed(0)\n"
        "TABLE = {n: abs(n) for n in torch.randint(-999, 999, (20,)).tolist()}\n"
        "def absolute(x):\n    return TABLE.get(x, 3 if x == -3 else x)",
    ),
    Attack(
        42,
        "the last call is remembered",
        "N",
        answer="last = [3]\ndef absolute(x):\n    value, last[0] = last[0], abs(x)\n    return value",
    ),
    Attack(
        42,
        "the number of calls is counted",
        "N",
        answer="calls = [0]\ndef absolute(x):\n    calls[0] += 1\n    return 3 if calls[0] == 1 else x",
    ),
)
