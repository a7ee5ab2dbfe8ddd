"""What a cell may try and is refused, with no harm to its kernel: files, network, processes, system calls."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def gets_nothing(kernel, source: str) -> None:
    """`source` must end in an operating system error; what it would have got is printed."""
    answer = kernel.run(
        f"try:\n{indented(source)}\nexcept OSError as e: print('REFUSED', e)\nelse: print('DONE')"
    )
    assert answer.text.startswith("REFUSED"), answer


def indented(source: str) -> str:
    return "\n".join("    " + line for line in source.strip().splitlines())


@pytest.mark.parametrize(
    "path",
    [
        str(ROOT / "solutions"),
        str(ROOT / "autograder"),
        str(ROOT / ".git"),
        str(ROOT / "autograder/sandbox/launch.py"),
        "../../../../" + str(ROOT) + "/solutions",
        "/proc/1/cwd/../../solutions",
        "/proc/1/root/" + str(ROOT) + "/solutions",
        "/proc/self/root/../../" + str(ROOT) + "/solutions",
        "/etc/shadow",
        "/root/.bash_history",
        "/root/.ssh",
        "/var/run/docker.sock",
        "/run",
        "/sys/fs/cgroup",
        "/sys/kernel",
        "/dev/mem",
        "/dev/kmsg",
        "/dev/vda",
    ],
)
def test_files_outside_do_not_exist(kernel, path: str) -> None:
    gets_nothing(
        kernel, f"import os\nos.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}).read()"
    )


def test_every_folder_above_shows_only_the_way_to_python(kernel) -> None:
    answer = kernel.run(
        "import os\n"
        f"for folder in {[str(each) for each in ROOT.parents]} + [{str(ROOT)!r}]:\n"
        "    print(folder, sorted(os.listdir(folder)) if os.path.isdir(folder) else None)"
    )
    for name in ("solutions", "autograder", "tests", "exercises", "gradebook"):
        assert name not in answer.text


def test_no_file_that_can_be_read_is_the_instructors(kernel) -> None:
    tops = {f"/{path.parts[1]}" for path in (ROOT, Path.home())}
    tops |= {"/home", "/tmp", "/course", "/etc", "/scratch"}
    answer = kernel.run(
        "import os\n"
        f"for top in {sorted(tops - {'/usr'})}:\n"
        "    for folder, _, files in os.walk(top):\n"
        "        if 'site-packages' not in folder and 'lib/python' not in folder:\n"
        "            for path in (os.path.join(folder, name) for name in files):\n"
        "                if any(word in path for word in ('solutions/', 'autograder/', 'gradebook', '/checks/')):\n"
        "                    print(path)"
    )
    assert (answer.text, answer.error) == ("", "")


@pytest.mark.parametrize(
    "source",
    [
        "import autograder",
        "import solutions",
        "import solutions.embeddings.skipgram",
        "from autograder import checks",
        "import importlib; importlib.import_module('autograder.sandbox.jail')",
        "import sys; sys.path.insert(0, '../../../..'); import solutions",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import autograder",
        "import importlib.metadata as m; m.entry_points(group='nlpcourse.commands')['instructor'].load()",
    ],
)
def test_the_instructors_packages_cannot_be_imported(kernel, source: str) -> None:
    answer = kernel.run(source)
    assert answer.error.startswith(("ModuleNotFoundError", "KeyError")), answer


def test_the_instructors_packages_are_named_nowhere(fresh) -> None:
    with fresh() as kernel:
        answer = kernel.run(
            "import sys, importlib.metadata as m\n"
            "ours = ('autograder', 'solutions', 'wire', 'agent', 'launch')\n"
            "print([name for name in sys.modules if name.split('.')[0] in ours])\n"
            f"print([path for path in sys.path if path in ('', {str(ROOT)!r})])\n"
            "print([finder for finder in sys.meta_path if 'ditable' in repr(finder)])\n"
            "print([str(file) for file in m.files('nlpcourse') or [] if str(file).startswith(ours)])\n"
            "print(list(m.distribution('nlpcourse').entry_points))"
        )
    assert answer.text.split() == ["[]"] * 5, answer


def test_public_half_and_tools_work(kernel) -> None:
    answer = kernel.run(
        "import nlpcourse, torch, numpy, matplotlib.pyplot as plt, os\n"
        "from nlpcourse.topics import topics\n"
        "plt.plot([1, 2]); plt.close()\n"
        "open('mine.txt', 'w').write('x'); open('/tmp/mine', 'w').write('y')\n"
        "print(len(topics()), torch.ones(2).sum().item(), os.getcwd(), torch.get_num_threads(), hash('a'))"
    )
    assert answer.error == ""
    assert answer.text.split()[-4:-1] == ["2.0", "/home/student", "1"], answer


def test_hashes_are_the_same_in_every_kernel(kernel, fresh) -> None:
    with fresh() as other:
        assert kernel.run("print(hash('a'))").text == other.run("print(hash('a'))").text != ""


def test_nothing_is_inherited(sandbox, fresh, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NLPCOURSE_TEST_SECRET", "x")
    secret = tmp_path / "secret"
    secret.write_text("x")
    descriptor = os.open(secret, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        with fresh() as kernel:
            answer = kernel.run(
                "import os, stat\n"
                "for number in map(int, os.listdir('/proc/self/fd')):\n"
                "    try: kind = os.fstat(number).st_mode\n"
                "    except OSError: continue\n"
                "    if stat.S_ISREG(kind) or stat.S_ISDIR(kind) and number > 70: print('open', number)\n"
                "print([name for name in os.environ if 'SECRET' in name or name in ('PWD', 'SSH_AUTH_SOCK')])\n"
                "import ctypes, sys; print([a for a in sys.orig_argv if 'autograder' in a])"
            )
    finally:
        os.close(descriptor)
    assert answer.text.split() == ["[]", "[]"], answer


@pytest.mark.parametrize("path", ["/usr/x", "/x", "/course/nlpcourse/x.py", "/etc/x", "/scratch/x", "/dev/x"])
def test_only_scratch_can_be_written(kernel, path: str) -> None:
    gets_nothing(kernel, f"open({path!r}, 'w')")


@pytest.mark.parametrize(
    "source",
    [
        "import socket; socket.create_connection(('127.0.0.1', 22), 1)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        "import socket; socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
        "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
        "import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "import socket; socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import urllib.request; urllib.request.urlopen('http://169.254.169.254/latest/meta-data', timeout=1)",
        "import subprocess; subprocess.run(['ping', '-c1', '127.0.0.1'], check=True, capture_output=True)",
    ],
)
def test_no_network(kernel, source: str) -> None:
    answer = kernel.run(
        "import subprocess\n"
        f"try:\n{indented(source)}\n"
        "except (OSError, subprocess.CalledProcessError) as e: print('REFUSED', e)\n"
        "else: print('DONE')"
    )
    assert answer.text.startswith("REFUSED"), answer


def test_abstract_sockets_of_the_machine_cannot_be_reached(kernel) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0nlpcourse-test-abstract")
        server.listen(1)
        gets_nothing(
            kernel, "import socket; socket.socket(socket.AF_UNIX).connect('\\0nlpcourse-test-abstract')"
        )


def test_other_kernels_sockets_cannot_be_reached(kernel, fresh) -> None:
    with fresh() as other:
        path = f"{other.kernel.manager.ip}-{other.kernel.manager.shell_port}"
        assert Path(path).is_socket()
        gets_nothing(kernel, f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})")
        own = f"{kernel.kernel.manager.ip}-{kernel.kernel.manager.shell_port}"
        gets_nothing(kernel, f"import socket; socket.socket(socket.AF_UNIX).connect({own!r})")


@pytest.mark.parametrize(
    "source",
    [
        "os.kill({grader}, 0)",
        "os.kill({grader}, signal.SIGKILL)",
        "os.kill(os.getppid() + {grader}, 9)",
        "open('/proc/{grader}/environ').read()",
        "open('/proc/{grader}/cmdline').read()",
        "os.listdir('/proc/{grader}/fd')",
        "open('/proc/{grader}/mem', 'rb')",
        "os.pidfd_open({grader})",
        "open('/proc/1/mem', 'wb')",
        "os.setpriority(os.PRIO_PROCESS, {grader}, 19)",
        "os.setpriority(os.PRIO_PROCESS, 0, -5)",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "os.kill(1, signal.SIGKILL); os.kill(1, 0); raise OSError('nothing happened')",
    ],
)
def test_no_other_process(kernel, source: str) -> None:
    gets_nothing(kernel, "import os, signal\n" + source.format(grader=os.getpid()))


def test_processes_seen_are_the_jails_own(kernel) -> None:
    answer = kernel.run(
        "import os; print(sorted(n for n in os.listdir('/proc') if n.isdigit()), os.getpid())"
    )
    assert answer.text.strip() == "['1', '2'] 2"


CALLS = {
    "mount": "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
    "umount": "libc.umount2(b'/proc', 2)",
    "unshare user": "libc.unshare(0x10000000)",
    "unshare net": "libc.unshare(0x40000000)",
    "setns": "libc.setns(os.open('/proc/1/ns/net', 0), 0)",
    "clone with namespace": "libc.syscall(56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0)",
    "clone3": "libc.syscall(435, ctypes.create_string_buffer(88), 88)",
    "chroot": "libc.chroot(b'/tmp')",
    "pivot_root": "libc.syscall(155 if x86 else 41, b'/tmp', b'/tmp')",
    "open_tree": "libc.syscall(428, -100, b'/', 1)",
    "fsopen": "libc.syscall(430, b'tmpfs', 0)",
    "ptrace": "libc.ptrace(0, 0, 0, 0)",
    "ptrace first process": "libc.ptrace(16, 1, 0, 0)",
    "process_vm_readv": "libc.process_vm_readv(1, 0, 0, 0, 0, 0)",
    "bpf": "libc.syscall(321 if x86 else 280, 0, 0, 0)",
    "perf_event_open": "libc.syscall(298 if x86 else 241, 0, 0, 0, 0, 0)",
    "userfaultfd": "libc.syscall(323 if x86 else 282, 0)",
    "io_uring_setup": "libc.syscall(425, 1, ctypes.create_string_buffer(256))",
    "add_key": "libc.syscall(248 if x86 else 217, b'user', b'a', b'b', 1, -3)",
    "keyctl": "libc.syscall(250 if x86 else 219, 0, -3, 0)",
    "init_module": "libc.syscall(175 if x86 else 105, 0, 0, b'')",
    "kexec_load": "libc.syscall(246 if x86 else 104, 0, 0, 0, 0)",
    "reboot": "libc.reboot(0)",
    "swapon": "libc.swapon(b'/tmp/x', 0)",
    "setuid 0": "os.setuid(0)",
    "setresuid 0": "os.setresuid(0, 0, 0)",
    "setgroups": "os.setgroups([0])",
    "sethostname": "import socket; socket.sethostname('x')",
    "mknod device": "os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0))",
    "chown to root": "os.chown('/home/student', 0, 0)",
    "open_by_handle_at": "libc.open_by_handle_at(-100, ctypes.create_string_buffer(64), 0)",
    "personality": "libc.personality(0x0400000)",
    "memfd_create": "os.memfd_create('x')",
    "shared anonymous memory": "import mmap; mmap.mmap(-1, 4096)",
    "System V shared memory": "libc.shmget(0, 4096, 0o1600)",
    "TIOCSTI": "import fcntl; fcntl.ioctl(0, 0x5412, b'x')",
    "x32": "libc.syscall(0x40000000 + 39) if x86 else libc.chroot(b'/')",
    "unknown call": "libc.syscall(600)",
    "core pattern": "open('/proc/sys/kernel/core_pattern', 'w').write('|/x')",
    "sysrq": "open('/proc/sysrq-trigger', 'w').write('b')",
    "oom": "open('/proc/self/oom_score_adj', 'w').write('-1000')",
    "raise process limit": "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))",
    "raise file limit": "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, 1 << 40))",
}


@pytest.mark.parametrize("source", CALLS.values(), ids=CALLS)
def test_doors_of_the_system_are_shut(kernel, source: str) -> None:
    *before, call = source.split("; ")
    answer = kernel.run(
        "import ctypes, os, platform\n"
        "libc, x86 = ctypes.CDLL(None, use_errno=True), platform.machine() == 'x86_64'\n"
        "try:\n"
        f"    {'; '.join([*before, f'value = {call}'])}\n"
        "    if value == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))\n"
        "except (OSError, ValueError) as e: print('REFUSED', e)\n"
        "else: print('DONE', value)"
    )
    assert answer.text.startswith("REFUSED"), answer


def test_no_program_gives_privileges(kernel) -> None:
    answer = kernel.run(
        "import subprocess\n"
        "programs = (['su', '-c', 'id'], ['sudo', '-n', 'id'], ['mount', '-t', 'tmpfs', 'x', '/tmp'])\n"
        "for program in programs:\n"
        "    try: print(subprocess.run(program, capture_output=True, stdin=subprocess.DEVNULL).returncode)\n"
        "    except FileNotFoundError: print(1)\n"
        "print(int(open('/proc/self/status').read().partition('CapEff:')[2].split()[0], 16))"
    )
    *codes, capabilities = answer.text.split()
    assert len(codes) == 3 and "0" not in codes and capabilities == "0", answer
