"""PyTorch's words on Tensors: each does what it does in PyTorch, value and gradient, or says what to write."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import words
from minigrad.errors import OperationError, ShapeError
from minigrad.methods import NAMES

torch = pytest.importorskip("torch")

A = np.array([[0.5, -1.25, 2.0, 0.75], [1.5, 0.25, -0.5, 3.0], [-2.5, 1.0, 0.125, -0.875]])
B = np.array([[1.5, 0.75, -2.0, 0.5], [0.25, 2.5, 1.25, -1.0], [0.875, -0.5, 3.0, 1.0]])
CUBE = np.sin(np.arange(24.0)).reshape(2, 3, 4)

# What is written in both libraries, letter for letter, on a tensor t of 3 x 4 and a second one u of the same shape;
# p is |t| + 1, c a tensor of 2 x 3 x 4, i integers, x the function that makes a tensor of the library
ALIKE = """
t.sum(); t.sum(0); t.sum(dim=1); t.sum(dim=1, keepdim=True); t.sum(1, keepdim=True); c.sum(dim=(0, 2))
t.sum(axis=1); t.mean(dim=0); t.mean(0, keepdim=True); c.mean((1, 2)); t.prod(dim=1)
t.prod(1, keepdim=True); t.cumsum(dim=1); t.var(dim=1, correction=0); t.var(dim=1, unbiased=True)
t.var(dim=0, correction=1, keepdim=True); t.std(dim=1, correction=0); t.std(dim=0, unbiased=False)
t.std(unbiased=True); t.max(); t.min(); t.max(dim=1).values; t.max(dim=1)[0]; t.min(dim=0).values
t.max(dim=1, keepdim=True)[0]; t.max(dim=1).indices; t.min(dim=1, keepdim=True)[1]; t.max(u); t.min(other=u)
t.amax(dim=1); t.amin(dim=(0, 1)); t.amax(1, keepdim=True); t.argmax(); t.argmax(dim=1)
t.argmin(dim=0, keepdim=True); t.argsort(dim=1); t.argsort(); (t > 0).any(); (t > 0).any(dim=1)
(t > -9).all(dim=0, keepdim=True); t.abs(); t.absolute(); t.neg(); t.negative(); t.positive(); t.square()
p.sqrt(); p.rsqrt(); p.reciprocal(); t.exp(); t.expm1(); p.log(); p.log1p(); t.sin(); t.cos(); t.tanh()
t.sigmoid(); t.relu(); t.sign(); t.floor(); t.ceil(); t.trunc(); t.softmax(dim=1); t.softmax(0)
t.softmax(-1); t.log_softmax(dim=0); t.logsumexp(dim=1); t.logsumexp(1, keepdim=True); t.add(u)
t.add(u, alpha=0.5); t.add(1); t.sub(u); t.sub(u, alpha=2); t.subtract(u); t.mul(u); t.multiply(2); t.div(u)
t.divide(u); t.true_divide(u); t.div(u, rounding_mode="floor"); t.div(u, rounding_mode="trunc")
t.floor_divide(u); p.pow(2); p.pow(u); p.pow(-0.5); t.maximum(u); t.minimum(u); t.eq(u); t.ne(u)
t.not_equal(u); t.lt(u); t.less(u); t.le(u); t.less_equal(u); t.gt(0); t.greater(u); t.ge(u)
t.greater_equal(u); (t > 0).logical_and(u > 0); (t > 0).logical_or(u > 0); (t > 0).logical_xor(u > 0)
(t > 0).logical_not(); (t > 0).bitwise_and(u > 0); (t > 0).bitwise_or(u > 0); (t > 0).bitwise_xor(u > 0)
i.bitwise_not(); t.isnan(); t.isinf(); t.isfinite(); t.equal(u); t.equal(t); t.allclose(u)
t.allclose(t * 1.000001); t.matmul(u.T); t.mm(u.t()); t.mv(u[0]); t[0].dot(u[0]); c.bmm(c.transpose(1, 2))
c.matmul(u.T); t.norm(); t.norm(dim=1); t.norm(1); t.norm(p=2, dim=0, keepdim=True); t.norm(3, dim=1)
(t * 0).norm(); t.norm(p=math.inf); t.norm("fro"); t.clamp(-1, 1); t.clamp(min=0); t.clamp(max=0.5)
t.clamp(min=-0.25, max=0.25); t.clamp_min(0.25); t.clamp_max(1); t.clip(-1, 1); t.clip(min=0.0)
t.where(t > 0, u); t.where(t > 0, 0.0); t.masked_fill(t > 0, 7.0); t.masked_select(t > 0); t.view(4, 3)
t.view(-1); t.view((2, 6)); t.view_as(u.T); t.reshape(2, 6); t.reshape((12,)); t.reshape_as(u.T); t.ravel()
t.unsqueeze(0); t.unsqueeze(dim=-1); t.unsqueeze(1).squeeze(1); t.unsqueeze(0).squeeze()
t.unsqueeze(2).squeeze(dim=2); t.permute(1, 0); c.permute(2, 0, 1); c.permute((1, 2, 0))
c.permute(dims=(0, 2, 1)); t.t(); t.T; t.transpose(1, 0); c.transpose(0, 1); c.transpose(-1, 0)
c.transpose(dim0=1, dim1=2); c.transpose(0, dim1=2)
c.swapaxes(0, 2); c.swapdims(0, 1); c.movedim(0, 2); c.moveaxis(0, -1)
c.flatten(); c.flatten(1); c.flatten(start_dim=0, end_dim=1); c.flatten(1, 2); t.flip(0); c.flip(0, 2)
c.flip(dims=(1,)); t[:1].expand(5, 4); t[:1].expand(2, 3, -1); t[0].expand_as(u)
t[0].broadcast_to((2, 3, 4)); t.unbind(); t.unbind(dim=1)[2]; c.split(2, dim=1)[0]; c.split(2, dim=1)[1]
c.split([1, 3], dim=-1)[1]; t.split(2)[1]; t.chunk(2)[0]; c.chunk(2, dim=2)[1]; c.chunk(3, dim=-1)[1]
c.narrow(1, 0, 2); c.select(1, 2); c.select(-1, 0); t.index_select(0, i); t.index_select(dim=1, index=i)
t.gather(1, i.unsqueeze(0).expand(3, 3)); t.clone(); t.contiguous(); t.cpu(); t.to("cpu"); (t > 0).clone()
i.clone(); t.double(); t.float().double(); i.double(); t.half().double(); t.type_as(u); t.long(); t.int()
t.short(); (t > 0).char(); (t > 0).byte(); t.bool(); t.detach(); t.tolist(); t.dim(); t.ndimension(); t.ndim
t.numel(); t.nelement(); t.size(); t.size(0); t.size(-1); t.size(dim=1); c.size(); t[0, 0].item()
t.element_size(); t.is_floating_point(); i.is_floating_point(); t.is_leaf; len(t); t.shape
t.new_zeros(2, 3); t.new_ones((2, 2)); t.detach().requires_grad_().requires_grad; t.requires_grad
t.retains_grad; t.abs().sum().backward(); t.grad; t.data[0, 0].item(); t.detach().numpy()
(t * 2).retain_grad
"""
GENERATED = """
(t * 0.3).acos(); p.acosh(); (t * 0.3).asin(); t.asinh(); t.atan(); t.atan2(u); (t * 0.3).atanh(); t.angle()
(t * 0.3).arccos(); p.arccosh(); (t * 0.3).arcsin(); t.arcsinh(); t.arctan(); t.arctan2(u); (t * 0.3).arctanh()
t.tan(); t.sinh(); t.cosh(); t.sinc(); t.exp2(); p.log2(); p.log10(); t.deg2rad(); t.rad2deg(); t.fix(); t.frac()
t.round(); t.round(decimals=1); t.sgn(); t.signbit(); t.isneginf(); t.isposinf(); t.isreal(); t.conj(); t.i0()
t.copysign(u); p.float_power(2); t.fmax(u); t.fmin(u); t.fmod(u); t.remainder(u); t.hypot(u); t.heaviside(u)
t.logaddexp(u); t.logaddexp2(u); t.nextafter(u); t.ldexp(i.sum()); t.lerp(u, 0.25); t.xlogy(p); t.erf(); t.erfc()
(t * 0.3).erfinv(); p.lgamma(); p.digamma(); (t * 0.1 + 0.5).logit()
p.detach().igamma(p + 1); p.detach().igammac(p + 1)
t.nan_to_num(); t.nan_to_num(1.0); t.isclose(u); i.gcd(i + 4); i.lcm(i + 4); i.bitwise_left_shift(i)
i.bitwise_right_shift(i); t.addcmul(u, u, value=0.5); t.addcdiv(u, p, value=2); t.addmm(t, u.t() @ u)
t[0, :3].addmv(t, u[0]); c.baddbmm(c, c.transpose(1, 2) @ c); t.dist(u); t.aminmax(dim=1)[0]; t.aminmax()[1]
t.nansum(); t.nansum(dim=1); t.nanmean(); t.nanmean(dim=0, keepdim=True); t.cumprod(dim=1); t.cumprod(0)
t.logcumsumexp(dim=1); t.logcumsumexp(0); t.diff(); t.diff(dim=0); t.diff(2); t.count_nonzero(); t.count_nonzero(dim=1)
t.median(dim=1)[0]; t.median(dim=0, keepdim=True)[1]; t.nanmedian(dim=1)[0]; t.kthvalue(2)[0]; t.kthvalue(3, dim=0)[1]
t.topk(2)[0]; t.topk(2)[1]; t.topk(2, dim=0, largest=False)[0]; t.sort(dim=1)[0]; t.sort(dim=0)[1]
t.sort(descending=True)[0]; t.sort(dim=0, descending=True)[1]; t.msort(); t.argsort(dim=1, descending=True)
t.quantile(0.3); t.quantile(0.3, dim=1); t.quantile(0.5, dim=0, keepdim=True); t.nanquantile(0.3, dim=1); t.argwhere()
t.quantile(0.3, dim=1, interpolation="lower"); i.unique(); i.bincount(); i.bincount(minlength=5)
t.diag(); t[0].diag(); t.diag(diagonal=1); t.diagflat(); t.diagonal(); t.diagonal(1); c.diagonal(dim1=1, dim2=2)
c.diagonal(offset=-1, dim1=0, dim2=2); t[:, :3].trace(); t.tril(); t.tril(diagonal=1); t.triu(-1)
t.roll(1); t.roll(2, 1)
t.roll(shifts=(1, 2), dims=(0, 1)); t.rot90(); t.rot90(2); t.rot90(1, [1, 0]); t.fliplr(); t.flipud(); t.tile(2)
t.tile(2, 2); t.tile((3, 1, 2)); t.repeat_interleave(2); t.repeat_interleave(2, dim=1); t.take(i); t.take(index=i)
t.take_along_dim(t.argsort(dim=1), dim=1); t.tensor_split(2)[1]; t.tensor_split(2, dim=1)[0]; c.hsplit(3)[1]
c.vsplit(2)[0]; c.dsplit(2)[1]; t.unflatten(1, (2, 2)); t.unfold(1, 2, 1); t.unfold(0, 2, 1); t.index_fill(0, i, 7.0)
t.index_add(0, i, u); t.index_add(0, i, u, alpha=2); t.scatter_add(1, u.argsort(dim=1), u); t[0].outer(u[0])
t[0].ger(u[1]); t[0].inner(u[0]); t.inner(other=u); t[0].vdot(u[0]); t.kron(u); t[:, :3].cross(u[:, :3], dim=1)
t.cov(); t.corrcoef(); (t[:, :3] @ u[:, :3].t()).det(); t[:, :3].slogdet()[1]; t[:, :3].inverse(); t.pinverse()
(t @ t.t() + t.new_ones(3, 3)).cholesky(); t[:, :3].matrix_power(3); (t @ t.t()).logdet(); t.svd()[1]; t.qr()[1].abs()
t.new_full((2, 3), 1.5); t.new_tensor([1.0, 2.0]); t.is_contiguous(); t[0, 0].is_nonzero(); t.is_same_size(u)
"""
IN_PLACE = """
t.zero_(); t.fill_(2.5); t.copy_(u); t.add_(u); t.add_(u, alpha=-0.5); t.sub_(1); t.subtract_(u); t.mul_(u)
t.multiply_(2); t.div_(u); t.divide_(u); t.true_divide_(4); t.floor_divide_(0.5); t.pow_(2); t.abs_()
t.absolute_(); t.neg_(); t.negative_(); t.exp_(); t.expm1_(); t.sin_(); t.cos_(); t.tanh_(); t.sigmoid_()
t.relu_(); t.square_(); t.sign_(); t.floor_(); t.ceil_(); t.trunc_(); t.clamp_(-1, 1); t.clamp_(min=0)
t.clamp_min_(0); t.clamp_max_(0.5); t.clip_(-1, 1); t.masked_fill_(t > 0, 3.0); t.reciprocal_()
t.cumsum_(1); t.lerp_(u, 0.25); t.round_(); t.nan_to_num_(); t.fix_(); t.frac_(); t.tan_(); t.sinh_(); t.cosh_()
t.sinc_(); t.exp2_(); t.deg2rad_(); t.rad2deg_(); t.asinh_(); t.atan_(); t.arcsinh_(); t.arctan_(); t.atan2_(u)
t.arctan2_(u); t.copysign_(u); t.hypot_(u); t.fmod_(u); t.remainder_(u); t.float_power_(2); t.tril_(); t.triu_(1)
t.nextafter_(u); t.i0_(); t.erf_(); t.erfc_(); t.cumprod_(0); t.mul_(0.1).erfinv_(); t.mul_(0.1).arcsin_()
t.mul_(0.1).asin_(); t.mul_(0.1).acos_(); t.mul_(0.1).arccos_(); t.mul_(0.1).atanh_(); t.mul_(0.1).arctanh_()
t.square_().add_(1).acosh_(); t.square_().add_(1).arccosh_(); t.square_().add_(1).log2_(); t.square_().add_(1).log10_()
t.square_().add_(1).lgamma_(); t.square_().add_(1).digamma_(); t.mul_(0.1).add_(0.5).logit_(); t.xlogy_(u.abs())
t.abs_().sqrt_(); t.square_().add_(1).log_(); t.square_().log1p_(); t.square_().add_(1).rsqrt_()
"""
FORMS = [form.strip() for form in (ALIKE + GENERATED).replace("\n", ";").split(";") if form.strip()]
IN_PLACE_FORMS = [form.strip() for form in IN_PLACE.replace("\n", ";").split(";") if form.strip()]


STEPS = {  # constant but for jumps: PyTorch records a gradient of 0, or none at all; here there is no graph
    *("t.sign()", "t.floor()", "t.ceil()", "t.trunc()", "t.floor_divide(u)"),
    *('t.div(u, rounding_mode="floor")', 't.div(u, rounding_mode="trunc")'),
    *("t.round()", "t.round(decimals=1)", "t.sgn()", "t.fix()", "t.angle()"),
    *("t.heaviside(u)", "t.nextafter(u)", "t.count_nonzero()"),
}
ATTRIBUTES = {
    "device",
    "dtype",
    "name",
    "cuda",
    "type",
    "fill",
    *("repeat", "nonzero"),  # NumPy's meaning
}  # named alike; the values are of another kind, or need a GPU

# the methods and attributes of torch.Tensor that programs use most
MOST = """
H T abs abs_ absolute acos add add_ addmm all allclose amax amin aminmax any apply_ arccos arcsin arctan
argmax argmin argsort asin atan backward bernoulli bfloat16 bincount bmm bool broadcast_to byte ceil chunk
clamp clamp_ clamp_max clamp_min clip clone contiguous copy_ cos cosh count_nonzero cpu cuda cumprod cumsum
data data_ptr det detach detach_ device diag diagonal diff dim div div_ divide dot double dtype element_size
eq equal erf erfc exp exp2 exp_ expand expand_as expm1 fill_ flatten flip fliplr flipud float floor
floor_divide fmod frac gather ge grad grad_fn greater gt half histc hypot index_add index_fill index_select
int inverse is_contiguous is_cuda is_floating_point is_leaf is_nonzero isclose isfinite isinf isnan item
kthvalue le lerp less log log10 log1p log2 log_softmax logcumsumexp logical_and logical_not logical_or logit
logsumexp long lt mT masked_fill masked_fill_ masked_select matmul max maximum mean median min minimum mm
movedim moveaxis mul mul_ multinomial multiply mv nan_to_num nansum narrow nbytes ndim ne neg negative
nelement new_full new_ones new_tensor new_zeros nonzero norm normal_ numel numpy outer permute pow prod put_
quantile random_ ravel reciprocal register_hook relu relu_ remainder repeat repeat_interleave requires_grad
requires_grad_ reshape reshape_as resize_ retain_grad roll round rsqrt scatter scatter_ scatter_add
scatter_add_ select shape short sigmoid sign sin sinh size softmax sort split sqrt square squeeze squeeze_
std storage stride sub sub_ subtract sum svd swapaxes t t_ take take_along_dim tan tanh tensor_split tile to
tolist topk trace transpose transpose_ tril triu trunc type type_as unbind unflatten unfold uniform_ unique
unsqueeze unsqueeze_ var vdot view view_as where zero_
"""
USED = MOST.split()


def ours(array: np.ndarray, requires_grad: bool = False) -> mg.Tensor:
    return mg.Tensor(array.copy(), requires_grad=requires_grad)


def theirs(array: np.ndarray, requires_grad: bool = False):
    return torch.tensor(array.copy(), requires_grad=requires_grad)


def bare(value):
    return value.detach().numpy() if hasattr(value, "detach") else value


def evaluate(form: str, make, leaves: bool = True):
    """The value of a form, and the gradients of its entries times 1, 2, 3 … with respect to t, u and c."""
    t, u, c = (make(array, leaves) for array in (A, B, CUBE))
    names = {"t": t, "u": u, "c": c, "p": abs(t) + 1, "i": make(np.array([2, 0, 0])), "math": math, "np": np}
    with np.errstate(all="ignore"):
        value = eval(form, names)
    if isinstance(value, tuple) and not isinstance(value[0], int):
        value = value[-1]
    if not hasattr(value, "requires_grad") or not value.requires_grad or not leaves:
        return value, [None] * 3
    weights = np.arange(1.0, bare(value).size + 1).reshape(bare(value).shape)
    (value * make(weights)).sum().backward()
    return value, [None if x.grad is None else bare(x.grad) for x in (t, u, c)]


@pytest.mark.parametrize("form", FORMS)
def test_a_word_means_what_it_means_in_pytorch(form):
    value, gradients = evaluate(form, ours)
    expected, their_gradients = evaluate(form, theirs, leaves=form not in STEPS)
    if isinstance(value, mg.Tensor):
        assert str(value.dtype) == str(expected.dtype).removeprefix("torch.")
        if form in STEPS:
            np.testing.assert_array_equal(bare(value), bare(expected))
            return
        assert value.requires_grad == expected.requires_grad
    if value is None or (callable(value) and not isinstance(value, int)):
        return
    assert np.shape(bare(value)) == np.shape(bare(expected))
    np.testing.assert_allclose(np.asarray(bare(value), float), np.asarray(bare(expected), float), rtol=1e-12)
    for name, mine, other in zip("tuc", gradients, their_gradients, strict=True):
        assert (mine is None) == (other is None), name
        if mine is not None:
            rtol = 1e-9 if "digamma" in form else 1e-11  # PyTorch's trigamma has no more digits
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("form", IN_PLACE_FORMS)
def test_a_word_that_ends_in_an_underscore_writes_in_place(form):
    t, u = ours(A), ours(B)
    memory, version = t.data, t.version.number
    with np.errstate(all="ignore"):
        result = eval(form, {"t": t, "u": u})
    expected, _ = evaluate(form, theirs, leaves=False)
    assert result is t
    assert t.data is memory
    assert t.version.number > version
    np.testing.assert_allclose(memory, bare(expected), rtol=1e-12)


@pytest.mark.parametrize("form", IN_PLACE_FORMS)
def test_what_the_graph_cannot_see_is_refused_there_too(form):
    with pytest.raises(mg.errors.GradientError, match=r"MG-207 .*with mg\.no_grad"):
        eval(form, {"t": ours(A, True), "u": ours(B)})


def test_a_whole_number_is_not_rounded_in_silence():
    with pytest.raises(TypeError, match="same_kind"):
        mg.Tensor([1, 2]).mul_(0.5)


def test_the_walk_misses_no_word_that_both_have():
    forms = "".join(f"{form} " for form in (*FORMS, *IN_PLACE_FORMS))
    tried = {
        name
        for name in dir(mg.Tensor)
        if f".{name}(" in forms or f".{name} " in forms or f".{name}[" in forms
    }
    tried |= {"data"}
    both = {n for n in dir(torch.Tensor) if not n.startswith("_") and hasattr(mg.Tensor([1.0]), n)}
    assert both - tried - ATTRIBUTES == set()


@pytest.mark.parametrize("name", USED)
def test_what_is_used_most_works_or_says_what_to_write(name):
    t = mg.Tensor([1.0, 2.0])
    assert hasattr(torch.Tensor, name)
    if name in words.METHODS or not hasattr(t, name):
        assert not hasattr(t, name)
        with pytest.raises(AttributeError, match=f"Tensor has no attribute '{name}'"):
            getattr(t, name)
    else:
        assert hasattr(t, name)


def test_no_word_is_both_accepted_and_refused():
    t = mg.Tensor([1.0])
    assert [name for name in words.METHODS if hasattr(t, name)] == []
    assert set(NAMES) & set(words.METHODS) == set()


def test_numpys_meaning_stays_where_the_two_differ():
    t = ours(A)
    np.testing.assert_array_equal(t.max(1).data, A.max(1))  # PyTorch: a pair
    np.testing.assert_array_equal(t.max(axis=1).data, A.max(1))
    assert t.var().item() == pytest.approx(A.var())  # PyTorch: ddof = 1
    assert t.std(1).data == pytest.approx(A.std(1))
    assert t.size == 12
    assert [part.shape for part in np.split(t, 2, axis=1)] == [(3, 2), (3, 2)]
    np.testing.assert_array_equal(ours(CUBE).transpose(2, 0, 1).data, CUBE.transpose(2, 0, 1))


@pytest.mark.parametrize("axes", [(0, 1), (-2, -1), (0, -1)])
def test_a_transpose_that_changes_nothing_says_so(axes, monkeypatch):
    monkeypatch.setattr(mg.errors, "_warned", set())
    t = ours(A)
    with pytest.warns(
        mg.errors.MinigradWarning, match=rf"MG-607 transpose\({axes[0]}, {axes[1]}\).*\(3, 4\).*t\.T"
    ):
        assert t.transpose(*axes).shape == (3, 4)  # NumPy's order of axes
    assert t.transpose(dim0=0, dim1=1).shape == t.transpose(-1, -2).shape == (4, 3)
    assert t.transpose((0, 1)).shape == (3, 4)


def test_the_size_is_a_number_that_can_be_called():
    import copy
    import json
    import pickle

    size = ours(CUBE).size
    assert isinstance(size, int)
    assert (size, size(), size(1), json.dumps(size), f"{size}") == (24, (2, 3, 4), 3, "24", "24")
    assert copy.deepcopy(size) == pickle.loads(pickle.dumps(size)) == 24


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda t: t.softmax(keepdim=True), r"softmax has no parameter 'keepdim': it has axis\."),
        (
            lambda t: t.sum(axes=1),
            r"sum has no parameter 'axes': it has axis, keepdims\. Did you mean 'axis'\?",
        ),
        (lambda t: t.sum(dim=1, dtype="float64"), r"sum has no parameter 'dtype'.*t\.astype\('float64'\)"),
        (lambda t: t.sum(dim=1, axis=1), r"sum got 'axis' twice: 'dim' is another word for it"),
        (lambda t: t.exp(out=t), r"exp has no parameter 'out': it has none\. A result is a new tensor"),
        (lambda t: mg.ops.softmax(t, aksis=1), r"softmax has no parameter 'aksis'.* Did you mean 'axis'\?"),
        (lambda t: t.std(dim=1, correctoin=1), r"std has no parameter 'correctoin'"),
        (lambda t: mg.ops.add(t, t, other=t), r"add has no parameter 'other'"),
    ],
)
def test_a_parameter_that_an_operation_does_not_have(call, told):
    with pytest.raises(OperationError, match=f"MG-606 {told}"):
        call(ours(A))


def test_an_option_of_numpys_that_no_operation_has():
    with pytest.raises(
        OperationError, match=r"MG-214 np\.sum\(tensor, dtype='float64'\).*t\.astype\('float64'\)"
    ):
        np.sum(ours(A), dtype="float64")


def test_parts_and_axes_that_do_not_fit():
    c = ours(CUBE)
    assert [part.shape[2] for part in c.split(np.int64(3), dim=2)] == [3, 1]
    with pytest.raises(ShapeError, match=r"MG-103 the axis has 4 entries; parts of \[1, 2\] are 3 together"):
        c.split([1, 2], dim=2)
    with pytest.raises(ShapeError, match="MG-103"):
        c.expand(3, 4)
    with pytest.raises(ShapeError, match="MG-103"):
        c.view(5, 5)
    with pytest.raises(TypeError):
        c.transpose(dim0=1)


def test_a_call_that_python_refuses_names_the_method():
    with pytest.raises(TypeError, match=r"unsqueeze\(\) missing 1 required positional argument: 'dim'"):
        ours(A).unsqueeze()
    with pytest.raises(TypeError, match=r"clamp\(\) got an unexpected keyword argument 'lowest'"):
        ours(A).clamp(lowest=0)


def test_a_dtype_of_pytorch_and_an_index():
    t = ours(A)
    assert (
        t.to(torch.float32).dtype == t.type(torch.float32).dtype == t.to(dtype="float32").dtype == np.float32
    )
    assert t.to(device="cpu", dtype=torch.int32).dtype == np.int32
    assert list(range(mg.Tensor(3))) == [0, 1, 2]
    assert [5, 6, 7][mg.Tensor(1)] == 6
    with pytest.raises(TypeError):
        range(mg.Tensor(3.0))


def test_pytorchs_parameters_in_our_functions():
    t = ours(A, True)
    np.testing.assert_array_equal(mg.ops.softmax(t, dim=0).data, mg.ops.softmax(t, axis=0).data)
    np.testing.assert_array_equal(mg.ops.concatenate([t, t], dim=1).data, np.concatenate([A, A], 1))
    np.testing.assert_array_equal(mg.ops.stack([t, t], dim=1).data, np.stack([A, A], 1))
    np.testing.assert_array_equal(mg.ops.softmax(A, dim=0), mg.ops.softmax(A, axis=0))  # on bare arrays too
    np.testing.assert_array_equal(mg.ops.leaky_relu(t, negative_slope=0.5).data, np.where(A > 0, A, A / 2))
    np.testing.assert_array_equal(mg.ops.add(input=t, other=1).data, A + 1)
    np.testing.assert_array_equal(mg.ops.linear(t, weight=ours(B), bias=None).data, A @ B.T)
    np.testing.assert_array_equal(mg.nn.Softmax(dim=0)(t).data, mg.ops.softmax(A, axis=0))
    np.testing.assert_array_equal(mg.nn.LeakyReLU(negative_slope=0.5)(t).data, np.where(A > 0, A, A / 2))
