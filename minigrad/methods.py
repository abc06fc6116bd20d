"""The methods of Tensors, by name: NumPy's arrays or PyTorch's tensors have a method of each of these names.

What runs for one is looked up in the registry when it is first used. ``methods.pyi``, which editors and type checkers
read, is written from the table: ``python -m minigrad.ops.stub``.
"""

from __future__ import annotations

from minigrad.array_protocols import Method

NAMES: tuple[str, ...] = tuple(
    """
    abs absolute acos acosh add all amax amin angle any arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax
    argmin argpartition argwhere asin asinh astype atan atan2 atanh bincount bitwise_and bitwise_invert
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm cbrt ceil cholesky choose clip conj
    conjugate copysign corrcoef cos cosh count_nonzero cov cross cummax cummin cumprod cumsum cumulative_prod
    cumulative_sum deg2rad degrees det diag diagflat diagonal diff divide divmod dot dsplit eq equal erf erfc erfinv exp
    exp2 expand_dims expm1 fabs fix flip fliplr flipud float_power floor floor_divide fmax fmin fmod ge gcd gelu ger
    greater greater_equal gt heaviside hsplit hypot i0 inner inverse invert isclose isfinite isin isinf isnan isneginf
    isposinf isreal kron lcm ldexp le leaky_relu less less_equal lgamma log log10 log1p log2 log_softmax logaddexp
    logaddexp2 logical_and logical_not logical_or logical_xor logit logsumexp lt matmul matrix_power max maximum mean
    min minimum mm mod moveaxis mul multiply mv nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd
    nansum nanvar ne neg negative nextafter not_equal outer partition pinverse positive pow power prod ptp qr
    quantile nanquantile percentile nanpercentile rad2deg radians ravel reciprocal relu remainder repeat
    repeat_interleave reshape rint roll rot90 round searchsorted sigmoid sign signbit sin sinc sinh slogdet softmax
    softplus sqrt square squeeze std subtract sum swapaxes take take_along_dim tan tanh tensor_split trace
    transpose trapezoid tril triu true_divide trunc unique var vdot vecdot view vsplit xlogy digamma igamma igammac
    argsort sort msort topk kthvalue median nanmedian aminmax nonzero nan_to_num tile compress scatter_add index_add index_fill unflatten unfold logcumsumexp svd logdet frac sgn lerp addmm addmv addcmul addcdiv baddbmm dist
    """.split()
)
"""Each is the function of NumPy's, or the operation, of its name or of the one that ``ops.words.RENAMED`` says."""

IN_PLACE: tuple[str, ...] = tuple(
    """
    abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh ceil
    clamp clamp_max clamp_min clip copysign cos cosh cumprod cumsum deg2rad digamma div divide erf erfc erfinv exp exp2
    expm1 fix float_power floor floor_divide fmod frac hypot i0 lerp lgamma log log10 log1p log2 logit masked_fill mul
    multiply nan_to_num neg negative nextafter pow rad2deg reciprocal relu remainder round rsqrt sigmoid sign sin sinc
    sinh sqrt square sub subtract tan tanh tril triu true_divide trunc xlogy
    """.split()
)
"""What PyTorch also has with an underscore behind it: ``t.exp_()`` writes its result into t."""


class Methods:
    """What a Tensor inherits: a method for each name."""

    __slots__ = ()


for _name in (*NAMES, *(f"{name}_" for name in IN_PLACE)):
    setattr(Methods, _name, Method(_name))
