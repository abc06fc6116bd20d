"""SciPy's special functions: each is an operation or is on the list; values of SciPy, gradients of PyTorch."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import special

import minigrad as mg
from minigrad import backend, ops, registry
from minigrad.errors import GradientError, OperationError
from minigrad.ops import library
from minigrad.ops.special import UNSUPPORTED
from tests.ops.cases import special as cases
from tests.strict_array import StrictArray

torch = pytest.importorskip("torch")

inf, nan = math.inf, math.nan
UFUNCS = sorted(name for name, f in vars(special).items() if isinstance(f, np.ufunc))


@pytest.mark.parametrize("name", UFUNCS)
def test_every_ufunc_is_an_operation_or_on_the_list(name):
    assert (getattr(special, name) in registry.functions) != (name in UNSUPPORTED)


def test_the_list_names_nothing_else():
    assert set(UNSUPPORTED) <= set(UFUNCS)
    assert all(UNSUPPORTED.values())
    entered = [name for name in UFUNCS if getattr(special, name) in registry.functions]
    assert len(entered) >= 150


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_what_is_on_the_list_is_refused_by_name(name):
    ufunc = getattr(special, name)
    t = mg.Tensor([0.5], requires_grad=True)
    with pytest.raises(OperationError, match=rf"MG-602 np\.{ufunc.__name__}\("):
        ufunc(*[t] * ufunc.nin)


EVERY = {**cases.CASES, **cases.COMPOSED}


@pytest.mark.parametrize("name", sorted(EVERY))
def test_values_are_scipy_s(name):
    """On Tensors as on the arrays, which SciPy takes itself."""
    for case in EVERY[name]:
        wanted = case.f(*case.inputs)
        found = case.f(*(mg.Tensor(x, requires_grad=True) for x in case.inputs))
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found.data, wanted, rtol=1e-12, atol=1e-14)


s = torch.special
TORCH = {
    "erf": (s.erf, [0.0, 0.5, -2, 7, inf]),
    "erfc": (s.erfc, [0.0, 0.5, -2, 7]),
    "erfcx": (s.erfcx, [0.0, 0.5, -2, 7]),
    "erfinv": (s.erfinv, [0.0, 0.5, -0.9, 1, -1]),
    "expit": (s.expit, [0.0, 0.5, -50, 700]),
    "logit": (s.logit, [0.1, 0.9, 0, 1, -1, 2]),
    "log_expit": (torch.nn.functional.logsigmoid, [0.0, 0.5, -50, 700]),
    "ndtr": (s.ndtr, [0.0, 0.5, -9, 9]),
    "ndtri": (s.ndtri, [0.1, 0.5, 0, 1]),
    "log_ndtr": (s.log_ndtr, [0.0, 0.5, -5, -30, 5]),
    "gammaln": (s.gammaln, [0.5, 3, -0.5, 0]),
    "psi": (s.psi, [0.5, 3, -0.5]),
    "digamma": (s.digamma, [0.5, 3]),
    "i0": (s.i0, [0.0, 2, -3]),
    "i0e": (s.i0e, [0.0, 2, -3]),
    "i1": (s.i1, [0.0, 2, -3]),
    "i1e": (s.i1e, [0.0, 2, -3]),
    "entr": (s.entr, [0.5, 0, 1, -1]),
    "exp2": (s.exp2, [0.5, -3]),
    "expm1": (s.expm1, [0.5, 0, -3]),
    "log1p": (s.log1p, [0.5, 0, -0.5]),
}


def gradients(ours, theirs, *columns, rtol=1e-10):
    mine = [mg.Tensor(np.array(c, float), requires_grad=True) for c in columns]
    other = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in columns]
    with np.errstate(all="ignore"):
        y, z = ours(*mine), theirs(*other)
        y.sum().backward()
    z.sum().backward()
    for found, wanted in zip(
        [y, *(t.grad for t in mine)], [z.detach(), *(t.grad for t in other)], strict=True
    ):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("name", sorted(TORCH))
def test_gradients_and_conventions_are_pytorch_s(name):
    theirs, points = TORCH[name]
    # PyTorch's polygamma(1, 0.5) is π²/2 to 10 digits
    gradients(getattr(special, name), theirs, points, rtol=1e-9 if name in ("psi", "digamma") else 1e-10)


def test_psi_s_gradient_at_a_half_is_half_of_pi_squared():
    t = mg.Tensor(np.array([0.5]), requires_grad=True)
    special.psi(t).backward()
    assert t.grad.item() == pytest.approx(math.pi**2 / 2, rel=1e-14)


def test_functions_of_two_arrays_are_pytorch_s():
    gradients(special.xlogy, s.xlogy, [0.0, 0, 1, 2], [0.0, 1, 0, 3])
    gradients(special.xlog1py, s.xlog1py, [0.0, 0, 1, 2], [-1.0, 1, -1, 3])
    gradients(
        lambda x: special.gammainc(1.5, x), lambda x: s.gammainc(torch.full_like(x, 1.5), x), [0.5, 2.0]
    )
    gradients(
        lambda x: special.gammaincc(1.5, x), lambda x: s.gammaincc(torch.full_like(x, 1.5), x), [0.5, 2.0]
    )
    gradients(lambda x: ops.polygamma(2, x), lambda x: s.polygamma(2, x), [0.5, 2.0])
    points = [-1.5, 0.5, 0.75, 3.0]
    gradients(lambda r: special.huber(0.75, r), lambda r: torch.nn.functional.huber_loss(
        r, torch.zeros_like(r), delta=0.75, reduction="none"), points)  # fmt: skip


SMOOTH = {
    # where the textbook's formula of the derivative is 0 / 0: the function, the point
    "exprel": (special.exprel, 0.0),
    "spence": (special.spence, 1.0),
    "ellipk": (special.ellipk, 0.0),
    "ellipe": (special.ellipe, 0.0),
    "ellipkm1": (special.ellipkm1, 1.0),
    "boxcox": (lambda a: special.boxcox(2.5, a), 0.0),
    "boxcox1p": (lambda a: special.boxcox1p(2.5, a), 0.0),
    "inv_boxcox": (lambda a: special.inv_boxcox(0.7, a), 0.0),
    "inv_boxcox1p": (lambda a: special.inv_boxcox1p(0.7, a), 0.0),
    "i1": (special.i1, 0.0),
    "j1": (special.j1, 0.0),
    "jv(0)": (lambda a: special.jv(0, a), 0.0),
    "iv(1)": (lambda a: special.iv(1, a), 0.0),
    "agm": (lambda a: special.agm(a, 1.5), 1.5),
    "shichi": (lambda a: special.shichi(a)[0], 0.0),
    "sici": (lambda a: special.sici(a)[0], 0.0),
    "log_ndtr": (special.log_ndtr, 0.0),
}


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_third_order_where_the_textbook_has_0_over_0(name):
    f, point = SMOOTH[name]
    mg.gradcheck(f, [np.array([point, point + 0.3])], order=3)


def test_far_out():
    t = mg.Tensor(np.array([-1e8, -300.0, 40.0, 1e8]), requires_grad=True)
    special.log_ndtr(t).sum().backward()
    # φ / Φ: -a - 1/a + … on the left, 0 on the right
    np.testing.assert_allclose(t.grad.numpy()[:2], [1e8, 300 + 1 / 300 - 2 / 300**3], rtol=1e-9)
    assert t.grad.numpy()[2:].max() < 1e-300
    k = mg.Tensor(np.array([1e-12]), requires_grad=True)
    special.ellipkm1(k).backward()
    np.testing.assert_allclose(k.grad.numpy(), [-0.5e12], rtol=1e-9)  # K ≈ ln(4 / √p)


def test_an_order_has_no_gradient_and_says_so():
    order, x = (mg.Tensor(np.array([v]), requires_grad=True) for v in (0.5, 2.0))
    y = special.jv(order, x)
    with pytest.raises(OperationError, match=r"MG-610 .* with respect to v.*v\.detach\(\)"):
        y.sum().backward()
    (g,) = mg.gradients(special.jv(order.detach(), x).sum(), [x])
    np.testing.assert_allclose(g.numpy(), special.jvp(0.5, 2.0), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_python_s_numbers_do_not_widen(dtype):
    t = mg.Tensor(np.array([0.25, 0.5], dtype), requires_grad=True)
    for y in (
        special.gammainc(1.5, t),
        special.jv(2, t),
        special.ellipj(t, 0.5)[1],
        special.betainc(1.5, 2, t),
    ):
        assert y.dtype == dtype
    special.gammainc(1.5, t).sum().backward()
    assert t.grad.dtype == dtype
    assert (special.gammainc(1.5, t) + np.ones(2)).dtype == np.float64


def test_a_library_without_the_function_is_named(monkeypatch):
    small = SimpleNamespace(__name__="cupyx.scipy.special", i1=lambda a: StrictArray(special.i1(a._host)))
    monkeypatch.setattr(library, "special", lambda array: small)
    t = mg.Tensor(backend.to_device(np.ones(2), "strict"), requires_grad=True)
    y = special.i1(t)
    with pytest.raises(
        OperationError, match=r"MG-611 i0 of an array on strict: cupyx\.scipy\.special has no i0"
    ):
        y.sum().backward()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda t: special.softmax(t), r"scipy\.special\.softmax .*mg\.ops\.softmax\(t, axis=None\)"),
        (lambda t: special.logsumexp(t, axis=0), r"scipy\.special\.logsumexp .*mg\.ops\.logsumexp"),
        (lambda t: special.log_softmax(t), r"scipy\.special\.log_softmax .*mg\.ops\.log_softmax"),
        (lambda t: special.polygamma(1, t), r"scipy\.special\.polygamma .*mg\.ops\.polygamma\(n, t\)"),
        (lambda t: special.diric(t, 3), r"scipy\.special\.diric .*no other word for it"),
    ],
)
def test_functions_in_python_say_what_to_write(call, text):
    with pytest.raises(GradientError, match="MG-208 .*" + text):
        call(mg.Tensor([1.0, 2.0], requires_grad=True))


def test_what_they_say_to_write_is_the_same():
    a = np.array([1.0, 2.5, 0.5])
    t = mg.Tensor(a, requires_grad=True)
    for f, wanted in (
        (lambda t: ops.softmax(t, axis=None), special.softmax(a)),
        (lambda t: ops.logsumexp(t, axis=None), special.logsumexp(a)),
        (lambda t: ops.log_softmax(t, axis=None), special.log_softmax(a)),
        (lambda t: ops.polygamma(2, t), special.polygamma(2, a)),
        (lambda t: (special.jv(2, t) - special.jv(4, t)) / 2, special.jvp(3, a)),
        (lambda t: special.gamma(t + 1), special.factorial(a)),
        (lambda t: special.binom(5, t), special.comb(5, a)),
        (lambda t: special.poch(5 - t + 1, t), special.perm(5, a)),
        (special.softplus, special.softplus(a)),
        (special.sinc, special.sinc(a)),
    ):
        np.testing.assert_allclose(f(t).data, wanted, rtol=1e-12)
        mg.gradcheck(f, [a], order=2)
