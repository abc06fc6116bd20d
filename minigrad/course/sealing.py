"""Which modules hold what an assignment asks for, and how they come to students: compiled, without a text of theirs.

What that keeps from whom is said in docs/guide/course.md: from reading, and not from using or taking apart.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Sequence

from minigrad.errors import ConfigError

_RULES = tuple(
    f"minigrad/ops/{name}.py"
    for name in (
        *(
            "elementwise",
            "activation",
            "reduce",
            "circular",
            "running",
            "sampled",
            "linalg",
            "factorizations",
        ),
        *("least_squares", "norms", "special", "bessel", "gammas", "hypergeometric", "probability"),
        *("shape", "indexing", "padding", "move", "fused", "products"),
        *("nonlinear", "normalization", "attention", "recurrent", "convolution"),
    )
)
_ACTIVATIONS = ("minigrad_kernels/activations.py", "minigrad_kernels/cuda/activations.cu")
_TELL_MORE = (  # right answers of the tutorials' exercises; the same networks in other frameworks
    "minigrad/exercises/*.py",
    "minigrad/bench/peers/*.py",
    "minigrad/bench/peers/*.c",
)
ANSWERS: dict[str, tuple[str, ...]] = {
    "A1": (*_RULES, *_ACTIVATIONS),
    "A2": ("minigrad/tape.py", "minigrad/course/walking.py"),
    "A3": ("minigrad/tape.py", *_RULES, *_ACTIVATIONS),
    "A4": (
        "minigrad/ops/fused.py",
        "minigrad/ops/products.py",
        "minigrad_kernels/linear.py",
        "minigrad_kernels/cuda/linear.cu",
    ),
    "A5": (
        "minigrad/ops/activation.py",
        "minigrad/ops/fused.py",
        "minigrad/ops/reduce.py",
        "minigrad/nn/losses.py",
        "minigrad/nn/likelihoods.py",
        "minigrad_kernels/softmax_xent.py",
        "minigrad_kernels/cuda/softmax_xent.cu",
        *_ACTIVATIONS,
    ),
    "A6": (
        "minigrad/optim/formulas.py",
        "minigrad/optim/chain.py",
        "minigrad/optim/optimizers.py",
        "minigrad_kernels/update_rules.py",
        "minigrad_kernels/cuda/updates.cu",
    ),
    "A7": (
        "minigrad_kernels/matmul.py",
        "minigrad_kernels/products.py",
        "minigrad_kernels/sample.py",
        "minigrad_kernels/tiles.py",
        "minigrad_kernels/update_rules.py",
        "minigrad_kernels/updates.py",
        "minigrad_kernels/cuda/matmul.cu",
        "minigrad_kernels/cuda/updates.cu",
    ),
    "A8": ("minigrad/data/loader.py", "minigrad/data/scaling.py", "minigrad/train/metrics.py"),
}
"""The files of each assignment's answers, by their paths in the wheel; a ``*`` stands for any name."""

PLACEHOLDER = "(what an assignment asks for)"
_STUB = f'''"""Compiled: what an assignment asks for is in it. It can be used like any other module, and not be read."""
import marshal as _marshal
import sys as _sys
from pathlib import Path as _Path


def _placed(code):
    inner = (_placed(each) if isinstance(each, type(code)) else each for each in code.co_consts)
    return code.replace(co_filename=__file__, co_firstlineno=17, co_consts=tuple(inner))


__sealed__ = "{PLACEHOLDER}"  # for whoever would print what these functions compute
_file = _Path(__file__).with_suffix("." + _sys.implementation.cache_tag)
exec(_placed(_marshal.loads(_file.read_bytes())), globals())

# what inspect.getsource finds for a function of this module:
def _nothing(): """{PLACEHOLDER}"""
'''
_COMPILE = (
    "import marshal, sys; text = sys.stdin.buffer.read(); "
    "sys.stdout.buffer.write(marshal.dumps(compile(text, '<compiled>', 'exec', dont_inherit=True)))"
)
_ASK = "import sys; print(sys.implementation.cache_tag)"


def files_of(assignments: Iterable[str]) -> tuple[str, ...]:
    """Return the files that hold these assignments' answers; ConfigError MG-953 where one is none of ``ANSWERS``."""
    names = [name.upper() for name in assignments]
    for name in names:
        if name not in ANSWERS:
            raise ConfigError("MG-953", f"there is no assignment {name!r}; there are {', '.join(ANSWERS)}.")
    found = [path for name in names for path in ANSWERS[name]]
    return tuple(dict.fromkeys([*found, *(_TELL_MORE if names else ())]))


def tag(python: str) -> str:
    """Return which Python this is, as in ``cpython-312``; ConfigError MG-953 where it cannot be run."""
    return _run(python, _ASK, b"").decode().strip()


def sealed(path: str, source: str, pythons: Sequence[str]) -> dict[str, bytes]:
    """Return a module as files that have no text of it: the compiled code for each Python, and what loads it.

    Docstrings and the formulas of gradient rules are texts that the code itself does not need: others stand there.
    """
    if source == _STUB:
        raise ConfigError(
            "MG-953",
            f"{path} is compiled already: this is a students' minigrad. Build it where all of it is.",
        )
    text = ast.unparse(_Bare().visit(ast.parse(source)))
    stem = path.removesuffix(".py")
    files = {f"{stem}.{tag(python)}": _run(python, _COMPILE, text.encode()) for python in pythons}
    return {path: _STUB.encode(), **files}


def is_module(path: str) -> bool:
    """Tell whether a file that is closed is there compiled; sources of CUDA and C are left out."""
    return path.endswith(".py")


class _Bare(ast.NodeTransformer):
    """Takes out what is there for readers alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):  # a docstring
            return ast.Expr(ast.Constant(PLACEHOLDER))
        return self.generic_visit(node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        self.generic_visit(node)
        match node.elts:
            case [ast.Constant(value=str()), ast.Lambda() | ast.Name() | ast.Call()]:
                node.elts[0] = ast.Constant(PLACEHOLDER)
        return node


def _run(python: str, program: str, given: bytes) -> bytes:
    try:
        done = subprocess.run(
            [python or sys.executable, "-I", "-c", program], input=given, capture_output=True
        )
    except OSError as error:
        raise ConfigError(
            "MG-953", f"the Python {python!r} cannot be run: {error.strerror or error}."
        ) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ConfigError("MG-953", f"{python} cannot compile what minigrad is written in: {last}")
    return done.stdout
