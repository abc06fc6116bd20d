"""Every argument form that NumPy's signatures allow, tried on every function and method in the table.

A form works, with NumPy's value and a gradient that central differences confirm, or it is refused by name in front. The
forms come from the signatures: a function that enters the table, or a parameter that NumPy adds, fails here until there
are values for it.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import ops, registry
from minigrad.errors import AxisError, ConfigError, MinigradError, OperationError, ShapeError
from minigrad.operation import Operation
from minigrad.tensor import unwrap

MASK = np.array([[True, False, True], [False, True, True]])

VALUES: dict[str, list[Any]] = {
    "axis": [
        *(None, 0, 1, -1, 5, np.int64(0), np.int8(-1), np.uint8(1), np.array(1), True),
        *((0,), (0, 1), (-1, np.int64(0)), (), (0, 0), [0], [0, 1], [np.int64(-1)], np.array([0, 1])),
        *("a", 1.0, 0.5),
    ],
    "keepdims": [True, False, np.True_, np.False_, 1, 0, None],
    "ddof": [0, 1, np.int64(1), 0.5, np.float64(1)],
    "correction": [0, 1, np.int64(1), 0.5],
    "mean": [np.zeros((1, 3)), np.ones(())],
    "dtype": [None, "float32", np.float64, "float16", int],
    "out": [None, np.zeros((2, 3))],
    "initial": [0.0, 2.0, np.float32(1)],
    "where": [True, MASK, False],
    "order": ["C", "F", "A", "K"],
    "copy": [None, True, False],
    "subok": [True, False],
    "device": [None, "cpu"],
    "casting": ["same_kind", "safe", "unsafe", "no"],
    "shape": [
        6,
        np.int64(6),
        (3, 2),
        [3, 2],
        (np.int64(3), -1),
        np.array([2, 3]),
        -1,
        (2, 3),
        (4, 2, 3),
        (),
        (5, 5),
        3,
        None,
    ],
    "axes": [None, (1, 0), [1, 0], np.array([1, 0]), (np.int64(-1), 0), (0, 0), (0,), 0, (-1, -2)],
    "axis1": [0, 1, -1, np.int64(1), 5],
    "axis2": [0, 1, -1, np.int64(0), 5],
    "source": [0, -1, np.int64(1), (0, 1), [1, 0], np.array([0, 1]), (), 7],
    "destination": [0, -1, np.int64(1), (0, 1), [1, 0], np.array([0, 1]), (), 7],
    "arrays": [],
    "indices": [np.array([[0, 1, 1]]), [[0, 1, 0]], np.array([[-1, 0, 1]], np.int8), np.array([0, 3, 3])],
    "indices_or_sections": [
        *(
            1,
            2,
            np.int64(2),
            np.array(2),
            0,
            4,
            1.0,
            [1],
            (1,),
            np.array([1]),
            [np.int64(1)],
            [],
            [1, 1],
            [0, 9],
            [-1],
        ),
    ],
    "pad_width": [
        *(
            0,
            1,
            np.int64(2),
            np.array(1),
            (1, 2),
            [1, 2],
            ((1, 0), (0, 2)),
            [[1, 2]],
            np.array([[1, 0], [2, 1]]),
            [[1], [2]],
        ),
        *({0: 1}, {-1: (1, 2)}, {0: (1, 0), 1: 2}, {}, (1,), -1, 0.5, {7: 1}),
    ],
    "mode": ["constant", "edge", "reflect", "symmetric", "wrap", "mean", "linear_ramp", "empty", "nonsense"],
    "a_min": [None, -0.5, np.float32(-0.5), [-0.5, -0.2, 0.0], np.array([[-0.5], [0.1]])],
    "a_max": [None, 0.5, np.float64(0.5), np.array([0.5, 0.2, 1.0])],
    "min": [None, -0.5, np.array(-0.5)],
    "max": [None, 0.5, (0.5, 0.2, 1.0)],
    "b": [
        np.ones((3, 2)),
        np.ones(3),
        2.0,
        np.float32(2),
        [[1], [2], [3]],
        np.ones((5, 3, 2)),
        np.ones(4),
    ],
    "x": [],
    "y": [],
}
"""Values for each of NumPy's parameters, sound ones and others."""

REFUSABLE = {
    *(
        "mean",
        "dtype",
        "out",
        "initial",
        "where",
        "order",
        "copy",
        "subok",
        "device",
        "casting",
        "mode",
        "reflect_type",
    ),
    *("constant_values", "stat_length", "end_values", "optimize"),
}
"""Parameters that an operation need not have; all others work wherever NumPy works."""

MAY_DIFFER: dict[str, tuple[Any, ...]] = {"dot": (np.ones((5, 3, 2)),), "split": (1.0,)}
"""Values that NumPy takes, and a function of minigrad's refuses although the parameter is its own."""

BASES: dict[str, tuple[Any, ...]] = {
    # what comes before the parameters that have a default: T stands for the tensor
    "concatenate": (["T", "T"],),
    "stack": (["T", "T"],),
    "where": (MASK, "T", 0.5),
    "take_along_axis": ("T", np.array([[0, 1, 1]]), 0),
    "swapaxes": ("T", 0, 1),
    "moveaxis": ("T", 0, 1),
    "expand_dims": ("T", 0),
    "broadcast_to": ("T", (4, 2, 3)),
    "reshape": ("T", (3, 2)),
    "split": ("T", 2),
    "pad": ("T", 1),
    "dot": ("T", np.ones((3, 2))),
    "astype": ("T", "float64"),
    "clip": ("T", -0.5, 0.5),
}
FURTHER: dict[str, dict[str, list[Any]]] = {
    # options that stand as **kwargs in the signature
    "pad": {
        "constant_values": [0, 2.0, (1.0, 2.0), ((1, 2), (3, 4)), [[0.5]], np.array([1.0, 2.0])],
        "stat_length": [1],
        "end_values": [2.0],
        "reflect_type": ["even", "odd"],
    },
    "clip": {
        "dtype": ["float64"],
        "where": [MASK],
        "casting": ["same_kind"],
        "order": ["K"],
        "subok": [True],
    },
}
WHOLE_TABLE = [f for f in registry.functions if not isinstance(f, np.ufunc) and f not in registry.constants]
ELSEWHERE = {"einsum", "bincount"}  # which has tests of its own, below


def matrix() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(2, 3)).round(3) + 0.0007


INPUTS = {"matrix": matrix(), "number": np.array(0.7), "vector": matrix()[0], "nothing": np.zeros((0, 3))}


def filled(part: Any, a: Any) -> Any:
    """Return the arguments with ``a`` in the place of T."""
    if isinstance(part, str):
        return a if part == "T" else part
    if isinstance(part, list):
        return [filled(each, a) for each in part]
    return part


def forms(function: Callable[..., Any]) -> Iterator[tuple[str, Any, tuple[Any, ...], dict[str, Any]]]:
    """(parameter, its value, args, kwargs), each parameter by name and, where it can be, by position."""
    name = function.__name__
    parameters = list(inspect.signature(function).parameters.values())
    base = list(BASES.get(name, ("T",)))
    yield "nothing", None, tuple(base), {}
    for k, p in enumerate(parameters):
        if p.kind is p.VAR_KEYWORD:
            for option, values in FURTHER[name].items():
                for value in values:
                    yield option, value, tuple(base), {option: value}
            continue
        if k == 0:
            continue
        for value in VALUES[p.name]:
            if p.kind is not p.POSITIONAL_ONLY:
                before = base[: min(k, len(base))]
                after = {q.name: v for q, v in zip(parameters[k + 1 :], base[k + 1 :], strict=False)}
                yield p.name, value, tuple(before), {p.name: value, **after}
            if p.kind is not p.KEYWORD_ONLY:
                defaults = [q.default for q in parameters[len(base) : k]]
                yield p.name, value, (*base[:k], *defaults, value, *base[k + 1 :]), {}


def tried(f: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, Exception | None]:
    try:
        return f(*args, **kwargs), None
    except Exception as error:
        return None, error


def joined(result: Any) -> Any:
    """One array of a list of them."""
    return np.concatenate([part.reshape(-1) for part in result]) if isinstance(result, list) else result


def compare(
    what: str, parameter: str, value: Any, run: Callable[..., Any], a: np.ndarray, wanted: Any, error: Any
) -> None:
    """Hold one form on a Tensor against what NumPy gave, ``wanted`` or ``error``."""
    got, ours = tried(run, mg.Tensor(a, requires_grad=True))
    if ours is not None:
        if error is not None:
            native = next(
                kind for kind in (ValueError, TypeError, IndexError, Exception) if isinstance(error, kind)
            )
            assert isinstance(ours, (MinigradError, native)), (
                f"{what}: NumPy says {error!r}, minigrad {ours!r}"
            )
            return
        assert isinstance(ours, MinigradError), f"{what}: raw {ours!r}"
        assert parameter in str(ours) or what.partition("(")[0] in str(ours), f"{what}: {ours}"
        may = any(value is v or np.array_equal(value, v) for v in MAY_DIFFER.get(what.partition("(")[0], ()))
        assert parameter in REFUSABLE or may, f"{what} is refused: {ours}"
        return
    if error is not None:  # lists of axes, say, which PyTorch takes
        assert isinstance(value, (list, np.ndarray, tuple, type(None))), f"{what}: NumPy says {error!r}"
    else:
        assert np.shape(joined(got)) == np.shape(joined(wanted)), what
        np.testing.assert_allclose(np.asarray(unwrap(joined(got))), joined(wanted), rtol=1e-12, err_msg=what)
        assert np.asarray(unwrap(joined(got))).dtype == np.asarray(joined(wanted)).dtype, what
    result = joined(got)
    if not (isinstance(result, mg.Tensor) and np.isfinite(result.data).all()):
        return
    if result.requires_grad and result.dtype == np.float64:
        mg.gradcheck(lambda t: joined(run(t)), [a])


def test_every_function_has_forms() -> None:
    for function in WHOLE_TABLE:
        if function.__name__ not in ELSEWHERE:
            names = [
                p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD
            ][1:]
            assert {*names} <= {*VALUES}, f"np.{function.__name__} has parameters without values"
            assert len(list(forms(function))) >= 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize(
    "function", [f for f in WHOLE_TABLE if f.__name__ not in ELSEWHERE], ids=lambda f: f.__name__
)
def test_functions(function: Callable[..., Any], given: str) -> None:
    a = INPUTS[given]
    for parameter, value, args, kwargs in forms(function):

        def run(t: Any, args: Any = args, kwargs: Any = kwargs) -> Any:
            return function(*filled(list(args), t), **kwargs)

        if parameter == "out" and value is not None:  # some releases of NumPy crash where it does not fit
            with pytest.raises(OperationError, match=r"MG-214 .*out="):
                run(mg.Tensor(a, requires_grad=True))
            continue
        wanted, error = tried(run, a.copy())
        what = f"{function.__name__}({parameter}={value!r}) of {given}, {len(args)} by position"
        compare(what, parameter, value, run, a, wanted, error)


METHODS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    **{
        name: [((value,), {}) for value in VALUES["axis"]]
        + [((), {"axis": value}) for value in VALUES["axis"]]
        + [((1,), {"keepdims": value}) for value in VALUES["keepdims"]]
        + [((), {option: VALUES[option][-1]}) for option in ("dtype", "where")]
        for name in ("sum", "mean", "var", "std", "max", "min", "prod", "any", "all", "argmax", "argmin")
    },
    "cumsum": [((value,), {}) for value in VALUES["axis"]] + [((), {"dtype": "float32"})],
    "squeeze": [((value,), {}) for value in VALUES["axis"]],
    "swapaxes": [((i, j), {}) for i, j in itertools.product(VALUES["axis1"], VALUES["axis2"])],
    "reshape": [((value,), {}) for value in VALUES["shape"][:-1]]
    + [
        ((np.int64(3), 2), {}),
        ((3, np.int8(-1)), {}),
        ((2, -1), {"order": "C"}),
        ((6,), {"order": "F"}),
        ((6,), {"copy": True}),
    ],
    "transpose": [((value,), {}) for value in VALUES["axes"]]
    + [((), {}), ((1, 0), {}), ((np.int64(1), np.int64(0)), {})],
    "ravel": [((), {}), (("C",), {}), ((), {"order": "F"})],
    "flatten": [((), {}), (("C",), {}), ((), {"order": "F"})],
    "clip": [((low, high), {}) for low in VALUES["a_min"] for high in VALUES["a_max"]]
    + [((), {"min": -0.5}), ((), {"max": 0.5})],
    "astype": [
        (("float64",), {"copy": False}),
        (("float32",), {}),
        ((np.float64, "K", "unsafe", True, False), {}),
        (("float16",), {"casting": "safe"}),
    ],
}


def test_every_method_of_an_operation_has_forms() -> None:
    named = {
        name
        for name, m in registry.methods.items()
        if isinstance(m, Operation) and m.params and hasattr(np.ndarray, name)
    }
    assert named - {*METHODS} == set()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str, given: str) -> None:
    a = INPUTS[given]
    for args, kwargs in METHODS[name]:

        def run(t: Any, args: Any = args, kwargs: Any = kwargs) -> Any:
            return getattr(t, name)(*args, **kwargs)

        wanted, error = tried(run, a.copy())
        option = next(reversed(kwargs), "axis")
        compare(
            f"{name}({args}, {kwargs}) of {given}", option, args[-1] if args else None, run, a, wanted, error
        )


EINSUMS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("lists of axes", lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2])),
    ("an implicit result", lambda a, b: np.einsum(a, [0, 1], b, [1, 2])),
    ("numbers in any order", lambda a, b: np.einsum(a, [9, 3], b, [3, 7])),
    ("numbers beyond 26", lambda a, b: np.einsum(a, [30, 2], b, [2, 27])),
    ("NumPy's integers", lambda a, b: np.einsum(a, np.array([0, 1]), b, (np.int64(1), 2), [2, 0])),
    ("an ellipsis among the axes", lambda a, b: np.einsum(a, [..., 0], b, [0, ...], [...])),
    ("a sum", lambda a, b: np.einsum(a, [0, 1], [])),
    ("a diagonal", lambda a, b: np.einsum(a @ b, [0, 0], [0])),
    ("optimize", lambda a, b: np.einsum("ij,jk,kl->il", a, b, a, optimize=True)),
    ("greedy", lambda a, b: np.einsum("ij,jk,kl->il", a, b, a, optimize="greedy")),
    ("optimal", lambda a, b: np.einsum("ij,jk,kl->il", a, b, a, optimize="optimal")),
    ("a limit", lambda a, b: np.einsum("ij,jk,kl->il", a, b, a, optimize=("greedy", 100))),
    ("a path", lambda a, b: np.einsum("ij,jk,kl->il", a, b, a, optimize=["einsum_path", (0, 1), (0, 1)])),
    ("a diagonal, optimized", lambda a, b: np.einsum("ii,jk->i", a @ b, a, optimize=True)),
    ("order", lambda a, b: np.einsum("ij,jk->ik", a, b, order="F")),
    ("order C", lambda a, b: np.einsum("ij,jk->ki", a, b, order="C")),
    ("safe casting", lambda a, b: np.einsum("ij,jk->ki", a, b, casting="safe", dtype=None, out=None)),
    ("a number", lambda a, b: np.einsum(",ij->ij", 2.0, a)),
    ("a list as operand", lambda a, b: np.einsum("ij,j->i", a, [1.0, 2.0, 3.0])),
    ("a diagonal of a list", lambda a, b: np.einsum("ij,kk->i", a, [[1.0, 2.0], [3.0, 4.0]])),
    ("capitals", lambda a, b: np.einsum("aB,Bc", a, b)),
    ("spaces", lambda a, b: np.einsum(" i j , j k -> i k ", a, b)),
]


@pytest.mark.parametrize(("what", "f"), EINSUMS, ids=[what for what, _ in EINSUMS])
def test_einsum(what: str, f: Callable[[Any, Any], Any]) -> None:
    a, b = matrix(), matrix().T + 0.5
    np.testing.assert_allclose(f(mg.Tensor(a), mg.Tensor(b)).data, f(a, b), rtol=1e-12)
    mg.gradcheck(f, [a, b], order=2)


@pytest.mark.parametrize(
    ("call", "error", "part"),
    [
        (
            lambda t: np.einsum("ij->j", t, dtype="float32"),
            OperationError,
            r"MG-214 np.einsum\(tensor, dtype='float32'\)",
        ),
        (lambda t: np.einsum("ij->j", t, out=np.zeros(3)), OperationError, "MG-214 .*out="),
        (lambda t: np.einsum("ij->j", t, casting="unsafe"), OperationError, "MG-214 .*casting="),
        (lambda t: np.einsum("ij->j", t, nonsense=1), TypeError, "nonsense"),
        (lambda t: np.einsum("i1->1", t), ConfigError, "MG-215 einsum 'i1->1'"),
        (lambda t: np.einsum("ij-j", t), ConfigError, "MG-215"),
        (lambda t: np.einsum("ij.->j", t), ConfigError, "MG-215"),
        (lambda t: np.einsum("ij->k", t), ConfigError, "MG-215 .*einsum.*output"),
        (lambda t: np.einsum("ij->jj", t), ConfigError, "MG-215 .*einsum.*multiple"),
        (
            lambda t: np.einsum("i->i", t),
            ShapeError,
            r"MG-103 einsum 'i->i': 'i' names 1 axes of shape \(2, 3\)",
        ),
        (lambda t: np.einsum("iij->j", t), ShapeError, "MG-103 .*names 3 axes"),
        (lambda t: np.einsum("...ijk->k", t), ShapeError, "MG-103 .*names 3 axes"),
        (lambda t: np.einsum(t, [0, 99]), OperationError, "MG-215 .*from 0 to"),
        (lambda t: np.einsum(t, "ij"), OperationError, "MG-215 .*letters first"),
        (lambda t: np.einsum("ij,ij", t, np.ones((3, 2))), ShapeError, "MG-103"),
    ],
)
def test_what_is_no_einsum(call: Callable[[Any], Any], error: type[Exception], part: str) -> None:
    with pytest.raises(error, match=part):
        call(mg.Tensor(matrix(), requires_grad=True))


class TestWhatWentWrong:
    """The code speaks of shapes where they are at fault, and the built-in type is NumPy's."""

    @pytest.mark.parametrize(
        "call",
        [
            lambda t: t.sum(axis=2),
            lambda t: np.mean(t, axis=(0, 5)),
            lambda t: np.expand_dims(t, 9),
            lambda t: np.concatenate([t, t], axis=2),
            lambda t: np.stack([t, t], axis=-5),
            lambda t: np.split(t, 1, axis=3),
            lambda t: np.flip(t, 4),
            lambda t: t.swapaxes(0, 3),
            lambda t: np.moveaxis(t, 0, 5),
            lambda t: t.transpose(0, 4),
            lambda t: np.cumsum(t, axis=2),
            lambda t: ops.softmax(t, axis=3),
            lambda t: ops.logsumexp(t, axis=3),
        ],
    )
    def test_an_axis_that_is_not_there(self, call):
        with pytest.raises(AxisError, match=r"MG-216 .*\(2, 3\).*axis") as caught:
            call(mg.Tensor(matrix(), requires_grad=True))
        assert isinstance(caught.value, (ValueError, IndexError))
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, IndexError)

    @pytest.mark.parametrize(
        ("call", "kind", "part"),
        [
            (lambda t: t.sum(axis=(0, 0)), ValueError, "sum .*axis=.*duplicate"),
            (lambda t: np.transpose(t, (0, 0)), ValueError, "transpose .*repeated axis"),
            (lambda t: t.sum(axis="rows"), TypeError, "sum .*axis='rows'"),
            (lambda t: t.sum(axis=0.5), TypeError, "sum .*axis=0.5"),
            (lambda t: t.mean(axis=None, keepdims="yes"), TypeError, "mean .*keepdims='yes'"),
            (lambda t: t.sum(0, "float32"), TypeError, "sum .*keepdims='float32'"),
            (lambda t: t.sum(0, True, None), TypeError, "sum got too many arguments"),
            (lambda t: t.sum(0, axis=1), TypeError, "sum got too many arguments"),
            (lambda t: np.where(t > 0), TypeError, "where: it takes c, a, b"),
            (lambda t: ops.linear(t), TypeError, "linear: it takes x, w, b"),
            (lambda t: np.clip(t, 0, 1, min=0), TypeError, "clip got a bound twice"),
            (lambda t: np.pad(t, 0.5), TypeError, "pad: the widths"),
            (lambda t: np.pad(t, -1), ValueError, "pad: .*negative"),
        ],
    )
    def test_what_is_no_matter_of_shapes(self, call, kind, part):
        with pytest.raises(MinigradError, match=f"MG-215 {part}") as caught:
            call(mg.Tensor(matrix(), requires_grad=True))
        assert isinstance(caught.value, kind)

    @pytest.mark.parametrize(
        "call",
        [
            lambda t: t + np.ones(4),
            lambda t: t.reshape(4, 2),
            lambda t: np.concatenate([t, np.ones((2, 2)), np.ones((3, 3))]),
            lambda t: np.stack([t, np.ones(3)]),
            lambda t: np.broadcast_to(t, (2, 4)),
            lambda t: np.squeeze(t, 0),
            lambda t: np.max(t[:0]),
            lambda t: np.argmax(t[:0]),
            lambda t: np.split(t, 2, axis=1),
            lambda t: np.where(np.ones(4, bool), t, 0.0),
            lambda t: np.transpose(t, (0, 1, 2)),
            lambda t: np.clip(t, np.ones(5), None),
            lambda t: np.take_along_axis(t, np.array([0]), 0),
            lambda t: np.pad(t, ((1, 1), (2, 2), (3, 3))),
        ],
    )
    def test_what_is(self, call):
        with pytest.raises(ShapeError, match="MG-103"):
            call(mg.Tensor(matrix(), requires_grad=True))

    def test_an_operation_of_ones_own_says_what_it_says(self, monkeypatch):
        monkeypatch.setattr(registry, "operations", dict(registry.operations))

        class Unhappy(ValueError):
            pass

        def forward(a):
            raise Unhappy("a must be positive")

        mine = mg.define("mine", forward, "a", ("g", lambda g: g), inputs="a")
        with pytest.raises(Unhappy, match=r"^a must be positive$"):
            mine(mg.Tensor([1.0], requires_grad=True))

        def other(a, level=1):
            raise ValueError("level is too low")

        also = mg.define("also_mine", other, "a", ("g", lambda g: g), inputs="a", params={"level": 1})
        with pytest.raises(ConfigError, match=r"MG-215 also_mine .*level=0: level is too low") as caught:
            also(mg.Tensor([1.0], requires_grad=True), level=0)
        assert str(caught.value.__cause__) == "level is too low"

    def test_options_of_ufuncs_are_named(self):
        t = mg.Tensor(matrix(), requires_grad=True)
        for call, option in (
            (lambda: np.add(t, t, where=MASK), "where="),
            (lambda: np.exp(t, dtype="float32"), "dtype="),
            (lambda: np.add(t, t, casting="unsafe"), "casting="),
            (lambda: np.matmul(t, t.T, axes=[(0, 1), (0, 1), (0, 1)]), "axes="),
            (lambda: np.add.reduce(t), "add.reduce"),
            (lambda: np.multiply.outer(t, t), "multiply.outer"),
            (lambda: np.maximum.accumulate(t), "maximum.accumulate"),
        ):
            with pytest.raises(OperationError, match="MG-602") as caught:
                call()
            assert option in str(caught.value)


@pytest.mark.parametrize(
    "scalar", [2, 2.0, True, np.float32(2), np.float64(2), np.int64(2), np.bool_(True), np.array(2.0)]
)
@pytest.mark.parametrize(
    "ufunc",
    [f for f in registry.functions if isinstance(f, np.ufunc) and f.nin == 2 and f.signature is None],
    ids=lambda f: f.__name__,
)
def test_numbers_beside_a_tensor(ufunc: np.ufunc, scalar: Any) -> None:
    a = np.abs(matrix()) + 0.3
    if ufunc.__name__.startswith("bitwise"):
        a = a > 0.5
        scalar = bool(scalar)
    for f in (lambda t: ufunc(t, scalar), lambda t: ufunc(scalar, t)):
        result = f(mg.Tensor(a, requires_grad=a.dtype.kind == "f"))
        np.testing.assert_array_equal(result.data, f(a))
        assert result.dtype == f(a).dtype
        if result.requires_grad:
            mg.gradcheck(f, [a])


@pytest.mark.parametrize("given", ["matrix", "number", "vector"])
@pytest.mark.parametrize("axis", VALUES["axis"], ids=repr)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_operations_that_numpy_does_not_have(name: str, axis: Any, given: str) -> None:
    """The axis takes the forms that it takes in np.sum; None is for logsumexp alone."""
    f, a = getattr(ops, name), INPUTS[given]
    total, error = tried(
        np.sum, np.exp(a), axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=True
    )
    if isinstance(axis, np.ndarray) and axis.ndim:
        total, error = tried(np.sum, np.exp(a), axis=tuple(axis), keepdims=True)
    if error is not None:
        with pytest.raises(MinigradError, match=rf"MG-21[56] {name} "):
            f(mg.Tensor(a, requires_grad=True), axis=axis)
        return
    wanted = {"softmax": np.exp(a) / total, "log_softmax": a - np.log(total), "logsumexp": np.log(total)}[
        name
    ]
    keep = {"keepdims": True} if name == "logsumexp" else {}
    np.testing.assert_allclose(f(mg.Tensor(a), axis=axis, **keep).data, wanted, rtol=1e-12, atol=1e-15)
    mg.gradcheck(lambda t: f(t, axis=axis), [a], order=2)


@pytest.mark.parametrize(
    "index",
    [
        *(
            [],
            [[]],
            [1, 0],
            [True, False],
            [np.int64(1)],
            ([0, 1], [np.int8(2), 0]),
            np.array(1),
            np.array([[0, 1], [1, 1]]),
        ),
        *(
            slice(np.int64(0), np.int64(1)),
            (slice(None), np.uint8(2)),
            np.True_,
            False,
            (None, [0, 0], ..., None),
        ),
        *(
            np.array([True, False]),
            (slice(None), np.array([True, False, True])),
            np.ix_([0, 1], [2, 0]),
            (1, np.array([0, 0])),
        ),
        *(
            (Ellipsis, np.array([1, 1])),
            range(2),
            (np.array([[0], [1]]), slice(None, None, -1)),
            np.array([], int),
        ),
    ],
    ids=repr,
)
def test_indices(index: Any) -> None:
    a = matrix()
    np.testing.assert_array_equal(mg.Tensor(a)[index].data, a[index])
    mg.gradcheck(lambda t: t[index] * 1.0, [a], order=2)


def test_dtypes_that_a_ufunc_does_not_take() -> None:
    t = mg.Tensor(matrix(), requires_grad=True)
    with pytest.raises(OperationError, match=r"MG-215 bitwise_and of float64 and int64"):
        np.bitwise_and(t, np.array(1))
    with pytest.raises(ConfigError, match=r"MG-215 power of int64 and int64.*negative"):
        np.power(mg.Tensor([2, 3]), np.array([-1, -2]))
