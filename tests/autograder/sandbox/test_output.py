"""Floods of output: cut in the kernel, and cut again in the grader when the kernel's own cut is taken away."""

import os
from pathlib import Path

import pytest

from autograder.sandbox.kernelapp import BoundedSession, measure, shorten_error
from autograder.sandbox.limits import MIB, Limits

SMALL = Limits(output_bytes_cell=MIB // 8, wall_factor=1000)


def own_memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


FLOODS = {
    "one print": "print('x' * 300_000_000)",
    "many prints": "for _ in range(300_000): print('x' * 100)",
    "stderr": "import sys; sys.stderr.write('x' * 100_000_000)",
    "descriptor": "import os\nfor _ in range(200): os.write(1, b'x' * 100_000)",
    "child": "import subprocess; subprocess.run(['sh', '-c', 'head -c 20000000 /proc/self/exe | base64'])",
    "displays": "from IPython.display import display\nfor _ in range(20_000): display('x' * 100)",
    "huge display": "from IPython.display import HTML, display; display(HTML('x' * 100_000_000))",
    "repr": "class A:\n    def __repr__(self): return 'x' * 100_000_000\nA()",
    "picture": "import os\nfrom IPython.display import Image, display\n"
    "display(Image(os.urandom(30_000_000), format='png'))",
    "update": "from IPython.display import display, update_display; display('a', display_id='d')\n"
    "for _ in range(5000): update_display('x' * 1000, display_id='d')",
    "comm": "from comm import create_comm; c = create_comm(target_name='x')\n"
    "for _ in range(2000): c.send({'a': 'x' * 10000})",
    "error": "raise ValueError('x' * 100_000_000)",
    "syntax error": "exec('(' * 10 + 'x' * 10_000_000 + ' y')",
    "many errors": "try: raise ValueError('x' * 10_000_000)\n"
    "except ValueError as e: raise KeyError('y' * 10_000_000) from e",
    "payload": "get_ipython().payload_manager.write_payload({'source': 'page', 'data': 'x' * 50_000_000})",
}


@pytest.fixture(scope="module")
def small(sandbox):
    from tests.autograder.sandbox.conftest import talk

    with talk(SMALL) as kernel:
        yield kernel


@pytest.mark.parametrize("source", FLOODS.values(), ids=FLOODS)
def test_output_is_cut_at_its_source(small, source: str) -> None:
    before = own_memory()
    answer = small.run(source)
    assert len(answer.text) + len(answer.error) < MIB // 4
    assert answer.verdict is None
    assert own_memory() - before < 100 * MIB
    assert small.run("print('next')").text == "next\n"


def test_what_is_cut_is_said(small) -> None:
    answer = small.run("print('a' * 50_000)\nprint('b' * 500_000)\nprint('c')")
    assert answer.text.startswith("a" * 50_000) and "output cut" in answer.text
    assert answer.text.count("output cut") == 1


def test_what_is_written_to_a_descriptor_is_output_of_its_own_cell(small) -> None:
    """However late the thread that reads the descriptor gets its turn."""
    late = (
        "import os, sys, time\n"
        "write = sys.stdout.write\n"
        "sys.stdout.write = lambda text: time.sleep(0.1) or write(text)"
    )
    for text in ("é" * 10_000, "x" * 100_000, ""):
        assert small.run(f"{late}\nos.write(1, {text!r}.encode()); pass").text == text


def test_modest_output_is_whole(small) -> None:
    answer = small.run("for i in range(1000): print(i)")
    assert answer.text == "".join(f"{i}\n" for i in range(1000))


@pytest.mark.parametrize(
    "source",
    [
        "class Plain:\n    def cut(self, kind, content): return content\n"
        "type(get_ipython().kernel.session).cut = Plain.cut\n"
        "for _ in range(300): print('x' * 1_000_000, flush=True)",
        "k = get_ipython().kernel\n"
        "for _ in range(100_000): k.iopub_socket.send_multipart([b'a', b'<IDS|MSG>', b'', b'{}', b'{}', b'{}', b'{}'])",
        "k = get_ipython().kernel\n"
        "for _ in range(50): k.iopub_socket.send_multipart([b'a', b'<IDS|MSG>'] + [b'x' * 1_000_000] * 20)",
        "k = get_ipython().kernel\nk.iopub_socket.send_multipart([b'x'] * 100_000)",
        "k, s = get_ipython().kernel, get_ipython().kernel.session\n"
        "deep = b'[' * 100_000 + b']' * 100_000\n"
        "parts = [s.pack(s.msg_header('stream')), s.pack(k.get_parent()['header']), b'{}', deep]\n"
        "k.iopub_socket.send_multipart([b'a', b'<IDS|MSG>', s.sign(parts), *parts])",
        "k, s = get_ipython().kernel, get_ipython().kernel.session\n"
        "for content in (b'1', b'null', b'[]', b'\"x\"', b'NaN', b'{\"text\": 1}', b'\\xff'):\n"
        "    for header in (b'1', b'{}', b'{\"msg_type\": 5, \"msg_id\": []}', s.pack(s.msg_header('stream'))):\n"
        "        parts = [header, s.pack(k.get_parent()['header']), b'{}', content]\n"
        "        k.iopub_socket.send_multipart([b'a', b'<IDS|MSG>', s.sign(parts), *parts])",
    ],
    ids=["cut removed", "unsigned", "many parts", "no delimiter", "deep", "wrong types"],
)
def test_what_a_hostile_kernel_sends_does_no_harm(fresh, source: str) -> None:
    with fresh(SMALL) as kernel:
        before = own_memory()
        answer = kernel.run(source)
        assert len(answer.text) < 4 * MIB
        assert own_memory() - before < 400 * MIB
        assert answer.verdict is None, answer
        assert kernel.run("print('next')").text.endswith("next\n")


BREAKS = {
    "too long a reply": "k = get_ipython().kernel\n"
    "me = k._parent_ident['shell']\n"
    "k.shell_stream.send_multipart([me[0] if isinstance(me, list) else me, b'x' * 50_000_000])\n"
    "k.shell_stream.flush()\nimport time; time.sleep(2)",
    "no longer its protocol": "import os, socket\n"
    "for n in os.listdir('/proc/self/fd'):\n"
    "    try:\n"
    "        s = socket.socket(fileno=os.dup(int(n))); name, peer = s.getsockname(), s.getpeername()\n"
    "        if str(name).endswith('-1'): s.sendall(b'\\xff' * 1000)\n"
    "    except OSError: pass",
    "closed": "import os, socket\n"
    "for n in os.listdir('/proc/self/fd'):\n"
    "    try:\n"
    "        s = socket.socket(fileno=os.dup(int(n))); name, peer = s.getsockname(), s.getpeername()\n"
    "        if str(name).endswith(('-1', '-2')): s.shutdown(socket.SHUT_RDWR)\n"
    "    except OSError: pass",
}


@pytest.mark.parametrize("source", BREAKS.values(), ids=BREAKS)
def test_a_broken_connection_ends_the_kernel_and_not_the_grader(fresh, source: str) -> None:
    with fresh(Limits(wall_factor=1000)) as kernel:
        first = kernel.run(source, seconds=20)
        verdict = first.verdict or kernel.run("print('next')", seconds=20).verdict
        assert verdict == "crash", first
        assert "broke off" in kernel.kernel.sentence


def test_an_endless_message_ends_the_kernel(fresh) -> None:
    """A message of ever more parts is held by the grader's socket library until it is whole, which is never."""
    with fresh(Limits(wall_factor=1000)) as kernel:
        answer = kernel.run(
            "import os, socket, struct, threading, time\n"
            "frame = b'\\x03' + struct.pack('>Q', 1 << 20) + b'x' * (1 << 20)\n"  # a long part, more to come
            "for n in os.listdir('/proc/self/fd'):\n"
            "    try: s = socket.socket(fileno=os.dup(int(n))); name, peer = s.getsockname(), s.getpeername()\n"
            "    except OSError: continue\n"
            "    if str(name).endswith('-2'):\n"
            "        s.setblocking(True)\n"
            "        until = time.process_time() + 20\n"
            "        while time.process_time() < until: s.sendall(frame)",
            seconds=200,
        )
        assert answer.verdict == "memory"
        assert "flooded" in kernel.kernel.sentence


def test_measure_is_about_right() -> None:
    assert 100 <= measure({"a": "x" * 100}) <= 150
    assert measure({"a": ["é" * 10]}) >= 20
    assert measure({"data": {"image/png": b"x" * 300}}) >= 400


def test_errors_keep_their_beginning() -> None:
    short = shorten_error(
        {"ename": "E", "evalue": "v" * 9000, "traceback": ["a", "b" * 10**6, "c"], "status": "error"}
    )
    assert short["traceback"][0] == "a" and sum(map(len, short["traceback"])) <= 64 * 1024 + 1
    assert len(short["evalue"]) == 2000 and short["status"] == "error"


def test_a_new_cell_has_a_new_share() -> None:
    session = BoundedSession(key=b"k")
    session.limit = 10_000
    assert session.cut("stream", {"name": "stdout", "text": "x" * 8000})["text"] == "x" * 8000
    assert "output cut" in session.cut("stream", {"name": "stdout", "text": "y" * 8000})["text"]
    assert session.cut("stream", {"name": "stdout", "text": "z"}) is None
    session.send(None, "execute_input", {"code": ""})
    assert session.cut("stream", {"name": "stdout", "text": "z"})["text"] == "z"
