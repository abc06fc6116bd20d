"""Solutions that attack their grader, as changes to assignment 1: what each does, and the tests it may lose."""

from __future__ import annotations

from typing import NamedTuple


class Hostile(NamedTuple):
    """``body`` replaces the body of tanh_vjp; ``top`` is a cell of its own at the beginning, which ``loses`` tests."""

    what: str
    body: str = ""
    top: str = ""
    loses: frozenset[str] = frozenset()


RIGHT = "return g * (1 - y * y)"

IN_TANH = [
    Hostile("leaves the process", "import os; os._exit(0)"),
    Hostile("leaves with SystemExit", "raise SystemExit(0)"),
    Hostile("never ends", "while True:\n        pass"),
    Hostile("never ends, and catches everything", "while True:\n        try:\n            while True: pass\n        except BaseException: pass"),
    Hostile("sleeps, with all signals blocked", "import signal, time\n    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n    time.sleep(1e6)"),
    Hostile("takes all memory", "x = [bytearray(1 << 26)]\n    while True: x.append(bytearray(1 << 26))"),
    Hostile("makes a huge array", "return np.ones((1 << 17, 1 << 17))"),
    Hostile("returns 400 MB", "return np.zeros(50_000_000)"),
    Hostile("returns a nested list without end", "x = []\n    x.append(x)\n    return x"),
    Hostile("returns ten million numbers as a list", "return [0.0] * 10_000_000"),
    Hostile("returns nothing but NaN", "return np.full_like(y, np.nan)"),
    Hostile("returns objects", "return np.array([[object()] * 3] * 2)"),
    Hostile("returns something that is equal to everything", "class Same:\n        def __eq__(self, other): return True\n        def __array_ufunc__(self, *a, **k): return True\n    return Same()"),
    Hostile("returns a subclass that lies", "class Liar(np.ndarray):\n        def __array_ufunc__(self, *a, **k): return np.True_\n        def __array_function__(self, *a, **k): return True\n    return np.zeros(y.shape).view(Liar)"),
    Hostile("raises an error that cannot be printed", "class Sly(Exception):\n        def __str__(self): raise SystemExit(0)\n    raise Sly"),
    Hostile("ends its parent", "import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)\n    return y"),
    Hostile("ends its group", "import os, signal\n    os.killpg(0, signal.SIGKILL)"),
    Hostile("forks without end", "import os\n    while True:\n        os.fork()"),
    Hostile("starts a daemon", "import os\n    if os.fork() == 0:\n        os.setsid()\n        while True: pass\n    return y"),
    Hostile("starts a program", "import subprocess\n    subprocess.run(['sh', '-c', 'sleep 1000 &'])\n    return y"),
    Hostile("starts threads", "import threading\n    for _ in range(1000): threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()\n    return y"),
    Hostile("recursion without end", "import sys\n    sys.setrecursionlimit(10**9)\n    def f(): return f() + f()\n    return f()"),
    Hostile("a segmentation fault", "import ctypes\n    ctypes.string_at(0)"),
    Hostile("writes rubbish into the pipe", "import os\n    os.write(3, b'x' * 100_000)\n    return y"),
    Hostile("says that more is to come than can be", "import os, struct\n    os.write(3, struct.pack('!QQ', 1 << 62, 1 << 62))\n    return y"),
    Hostile("closes the pipe", "import os\n    os.close(3)\n    return y"),
    Hostile("forges a verdict on the pipe", "import os, struct\n    m = b'{\"dict\": [[\"passed\", true], [\"value\", true]]}'\n    os.write(3, struct.pack('!QQ', len(m), 0) + m)\n    return y"),
    Hostile("forges a verdict on the standard output", "print('{\"score\": 100, \"passed\": true}')\n    import sys; sys.exit(0)"),
    Hostile("patches NumPy's comparisons", "np.allclose = np.array_equal = lambda *a, **k: True\n    np.testing.assert_allclose = lambda *a, **k: None\n    return y"),
    Hostile("patches the course's own tests", "import minigrad.course.testing as t, minigrad.course.running as r\n    t.close = t.same = t.holds = lambda *a, **k: None\n    r.Outcome.passed = True\n    return y"),
    Hostile("fills the disk", "f = open('big', 'wb')\n    for _ in range(100): f.write(bytes(1 << 20))\n    return y"),
    Hostile("opens files without end", "files = [open('/dev/null') for _ in range(10_000)]\n    return y"),
    Hostile("a float that is no float", "class F(float):\n        def __eq__(self, other): return True\n        def __array__(self, *a, **k): return np.ones((2, 3))\n    return F(1.0)"),
]  # fmt: skip

AT_THE_TOP = [
    Hostile("leaves the process while it loads", top="import os; os._exit(0)"),
    Hostile("never ends while it loads", top="while True: pass"),
    Hostile("raises while it loads", top="raise SystemExit('enough')"),
    Hostile("patches NumPy while it loads", top="import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True"),
    Hostile("takes all memory while it loads", top="x = []\nwhile True: x.append(bytearray(1 << 26))"),
    Hostile("is no Python", top="def f(:\n    pass"),
    Hostile("overwrites the engine's table while it loads", top="import minigrad.registry as t\nt.operations.clear(); t.functions.clear(); t.methods.clear()", loses=frozenset({"tanh-network"})),
]  # fmt: skip
