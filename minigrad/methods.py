"""The methods of Tensors, by name: NumPy's arrays or PyTorch's tensors have a method of each of these names.

What runs for one is looked up in the registry when it is first used. ``methods.pyi``, which editors and type checkers
read, is written from the table: ``python -m minigrad.ops.stub``.
"""

from __future__ import annotations

from minigrad.array_protocols import Method

_NAMES = """
abs absolute acos acosh add addcdiv addcmul addmm addmv all amax amin aminmax angle any arccos arccosh
arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere asin asinh astype atan
atan2 atanh baddbmm bincount bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or
bitwise_right_shift bitwise_xor bmm cbrt ceil cholesky choose clip compress conj conjugate copysign corrcoef
cos cosh count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees
det diag diagflat diagonal diff digamma dist divide divmod dot dsplit eq equal erf erfc erfinv exp exp2
expand_dims expm1 fabs fix flip fliplr flipud float_power floor floor_divide fmax fmin fmod frac gcd ge gelu
ger greater greater_equal gt heaviside hsplit hypot i0 igamma igammac index_add index_fill inner inverse
invert isclose isfinite isin isinf isnan isneginf isposinf isreal kron kthvalue lcm ldexp le leaky_relu lerp
less less_equal lgamma log log10 log1p log2 log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and
logical_not logical_or logical_xor logit logsumexp lt matmul matrix_power max maximum mean median min
minimum mm mod moveaxis msort mul multiply mv nan_to_num nancumprod nancumsum nanmax nanmean nanmedian
nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar ne neg negative nextafter nonzero not_equal
outer partition percentile pinverse positive pow power prod ptp qr quantile rad2deg radians ravel reciprocal
relu remainder repeat repeat_interleave reshape rint roll rot90 round scatter_add searchsorted sgn sigmoid
sign signbit sin sinc sinh slogdet softmax softplus sort sqrt square squeeze std subtract sum svd swapaxes
take take_along_dim tan tanh tensor_split tile topk trace transpose trapezoid tril triu true_divide trunc
unflatten unfold unique var vdot vecdot view vsplit xlogy
"""
NAMES: tuple[str, ...] = tuple(_NAMES.split())
"""Each is the function of NumPy's, or the operation, of its name or of the one that ``ops.words.RENAMED`` says."""

_IN_PLACE = """
abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh
ceil clamp clamp_max clamp_min clip copysign cos cosh cumprod cumsum deg2rad digamma div divide erf erfc
erfinv exp exp2 expm1 fix float_power floor floor_divide fmod frac hypot i0 lerp lgamma log log10 log1p log2
logit masked_fill mul multiply nan_to_num neg negative nextafter pow rad2deg reciprocal relu remainder round
rsqrt sigmoid sign sin sinc sinh sqrt square sub subtract tan tanh tril triu true_divide trunc xlogy
"""
IN_PLACE: tuple[str, ...] = tuple(_IN_PLACE.split())
"""What PyTorch also has with an underscore behind it: ``t.exp_()`` writes its result into t."""


class Methods:
    """What a Tensor inherits: a method for each name."""

    __slots__ = ()


for _name in (*NAMES, *(f"{name}_" for name in IN_PLACE)):
    setattr(Methods, _name, Method(_name))
