"""Written by ``python -m minigrad.ops.stub`` from the table, with NumPy 2.4: do not edit."""

from typing import Any

from minigrad.tensor import Tensor

NAMES: tuple[str, ...]
IN_PLACE: tuple[str, ...]

class Methods:
    def abs(self, **words: Any) -> Tensor:
        """|a|"""
    def abs_(self, **words: Any) -> Tensor:
        """|a|"""
    def absolute(self, **words: Any) -> Tensor:
        """|a|"""
    def absolute_(self, **words: Any) -> Tensor:
        """|a|"""
    def acos(self, **words: Any) -> Tensor:
        """arccos a"""
    def acos_(self, **words: Any) -> Tensor:
        """arccos a"""
    def acosh(self, **words: Any) -> Tensor:
        """arccosh a"""
    def acosh_(self, **words: Any) -> Tensor:
        """arccosh a"""
    def add(self, other: Any, alpha: Any = 1, **words: Any) -> Tensor:
        """a + b"""
    def add_(self, other: Any, alpha: Any = 1, **words: Any) -> Tensor:
        """a + b"""
    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: Any = 1, **words: Any) -> Tensor: ...
    def addcmul(self, tensor1: Any, tensor2: Any, *, value: Any = 1, **words: Any) -> Tensor: ...
    def addmm(self, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1, **words: Any) -> Tensor: ...
    def addmv(self, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1, **words: Any) -> Tensor: ...
    def all(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """no gradient: true or false"""
    def allclose(self, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08, **words: Any) -> Any:
        """yes or no"""
    def amax(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """max a"""
    def amin(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """min a"""
    def aminmax(self, dim: Any = None, keepdim: Any = False, **words: Any) -> Any: ...
    def angle(self, deg: Any = False, **words: Any) -> Tensor:
        """piecewise constant"""
    def any(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """no gradient: true or false"""
    def arccos(self, **words: Any) -> Tensor:
        """arccos a"""
    def arccos_(self, **words: Any) -> Tensor:
        """arccos a"""
    def arccosh(self, **words: Any) -> Tensor:
        """arccosh a"""
    def arccosh_(self, **words: Any) -> Tensor:
        """arccosh a"""
    def arcsin(self, **words: Any) -> Tensor:
        """arcsin a"""
    def arcsin_(self, **words: Any) -> Tensor:
        """arcsin a"""
    def arcsinh(self, **words: Any) -> Tensor:
        """arcsinh a"""
    def arcsinh_(self, **words: Any) -> Tensor:
        """arcsinh a"""
    def arctan(self, **words: Any) -> Tensor:
        """arctan a"""
    def arctan2(self, b: Any, **words: Any) -> Tensor:
        """arctan2(a, b)"""
    def arctan2_(self, b: Any, **words: Any) -> Tensor:
        """arctan2(a, b)"""
    def arctan_(self, **words: Any) -> Tensor:
        """arctan a"""
    def arctanh(self, **words: Any) -> Tensor:
        """arctanh a"""
    def arctanh_(self, **words: Any) -> Tensor:
        """arctanh a"""
    def argmax(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """no gradient: an index"""
    def argmin(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """no gradient: an index"""
    def argpartition(self, kth: Any, axis: Any = -1, kind: Any = 'introselect', order: Any = None, **words: Any) -> Tensor:
        """places are whole numbers"""
    def argsort(self, axis: Any = -1, descending: Any = False, *, dim: Any = None, **options: Any) -> Tensor:
        """places are whole numbers"""
    def argwhere(self, **words: Any) -> Tensor:
        """places are whole numbers"""
    def asin(self, **words: Any) -> Tensor:
        """arcsin a"""
    def asin_(self, **words: Any) -> Tensor:
        """arcsin a"""
    def asinh(self, **words: Any) -> Tensor:
        """arcsinh a"""
    def asinh_(self, **words: Any) -> Tensor:
        """arcsinh a"""
    def astype(self, dtype: Any, order: Any = 'K', casting: Any = 'unsafe', subok: Any = True, copy: Any = True, **words: Any) -> Tensor:
        """a as another dtype"""
    def atan(self, **words: Any) -> Tensor:
        """arctan a"""
    def atan2(self, b: Any, **words: Any) -> Tensor:
        """arctan2(a, b)"""
    def atan2_(self, b: Any, **words: Any) -> Tensor:
        """arctan2(a, b)"""
    def atan_(self, **words: Any) -> Tensor:
        """arctan a"""
    def atanh(self, **words: Any) -> Tensor:
        """arctanh a"""
    def atanh_(self, **words: Any) -> Tensor:
        """arctanh a"""
    def baddbmm(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, **words: Any) -> Tensor: ...
    def bincount(self, weights: Any = None, minlength: Any = 0, **words: Any) -> Tensor:
        """y_k = Σ w_i over x_i = k"""
    def bitwise_and(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def bitwise_invert(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def bitwise_left_shift(self, **kwargs: Any) -> Tensor:
        """whole numbers and truth values"""
    def bitwise_not(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def bitwise_or(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def bitwise_right_shift(self, **kwargs: Any) -> Tensor:
        """whole numbers and truth values"""
    def bitwise_xor(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def bmm(self, b: Any, **words: Any) -> Tensor:
        """a @ b"""
    def bool(self, dtype: Any = 'bool', **words: Any) -> Tensor: ...
    def broadcast_to(self, *shape: Any, **words: Any) -> Tensor:
        """a repeated along new axes and axes of length 1"""
    def byte(self, dtype: Any = 'uint8', **words: Any) -> Tensor: ...
    def cbrt(self, **words: Any) -> Tensor:
        """cbrt a"""
    def ceil(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def ceil_(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def char(self, dtype: Any = 'int8', **words: Any) -> Tensor: ...
    def cholesky(self, *, upper: Any = False, **words: Any) -> Tensor:
        """L of a = L Lᵀ"""
    def choose(self, choices: Any, out: Any = None, mode: Any = 'raise', **words: Any) -> Tensor:
        """the entry of the a-th choice"""
    def chunk(self, chunks: Any, dim: Any = 0, **words: Any) -> Any: ...
    def clamp(self, min: Any = None, max: Any = None, **words: Any) -> Tensor: ...
    def clamp_(self, min: Any = None, max: Any = None, **words: Any) -> Tensor: ...
    def clamp_max(self, max: Any, **words: Any) -> Tensor: ...
    def clamp_max_(self, max: Any, **words: Any) -> Tensor: ...
    def clamp_min(self, min: Any, **words: Any) -> Tensor: ...
    def clamp_min_(self, min: Any, **words: Any) -> Tensor: ...
    def clip(self, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None, **words: Any) -> Tensor:
        """min(max(a, a_min), a_max)"""
    def clip_(self, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None, **words: Any) -> Tensor:
        """min(max(a, a_min), a_max)"""
    def clone(self, **words: Any) -> Tensor: ...
    def compress(self, condition: Any, axis: Any = None, **words: Any) -> Tensor:
        """the slices of a where the condition is true"""
    def conj(self, **words: Any) -> Tensor:
        """a"""
    def conjugate(self, **words: Any) -> Tensor:
        """a"""
    def contiguous(self, **words: Any) -> Tensor: ...
    def copy(self, **words: Any) -> Tensor:
        """a"""
    def copy_(self, **words: Any) -> Tensor:
        """a"""
    def copysign(self, b: Any, **words: Any) -> Tensor:
        """copysign(a, b)"""
    def copysign_(self, b: Any, **words: Any) -> Tensor:
        """copysign(a, b)"""
    def corrcoef(self, y: Any = None, rowvar: Any = True, *, dtype: Any = None, **words: Any) -> Tensor:
        """c_ij / √(c_ii · c_jj) of the covariances c"""
    def cos(self, **words: Any) -> Tensor:
        """cos a"""
    def cos_(self, **words: Any) -> Tensor:
        """cos a"""
    def cosh(self, **words: Any) -> Tensor:
        """cosh a"""
    def cosh_(self, **words: Any) -> Tensor:
        """cosh a"""
    def count_nonzero(self, axis: Any = None, *, keepdims: Any = False, **words: Any) -> Tensor:
        """counts are whole numbers"""
    def cov(self, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None, fweights: Any = None, aweights: Any = None, *, dtype: Any = None, **words: Any) -> Any:
        """Σ w (x_i - mean x_i) (x_j - mean x_j) / (n - ddof)"""
    def cpu(self, **words: Any) -> Tensor: ...
    def cross(self, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None, **words: Any) -> Tensor:
        """(a₂b₃ - a₃b₂, a₃b₁ - a₁b₃, a₁b₂ - a₂b₁)"""
    def cuda(self, device: Any = 0, **words: Any) -> Tensor: ...
    def cumprod(self, axis: Any = None, dtype: Any = None, out: Any = None, **words: Any) -> Tensor:
        """y_i = a_1 · … · a_i"""
    def cumprod_(self, axis: Any = None, dtype: Any = None, out: Any = None, **words: Any) -> Tensor:
        """y_i = a_1 · … · a_i"""
    def cumsum(self, axis: Any = None, **words: Any) -> Tensor:
        """y_i = a_1 + … + a_i"""
    def cumsum_(self, axis: Any = None, **words: Any) -> Tensor:
        """y_i = a_1 + … + a_i"""
    def cumulative_prod(self, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: Any = False, **words: Any) -> Tensor:
        """y_i = a_1 · … · a_i"""
    def cumulative_sum(self, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: Any = False, **words: Any) -> Tensor:
        """y_i = a_1 + … + a_i"""
    def deg2rad(self, **words: Any) -> Tensor:
        """deg2rad a"""
    def deg2rad_(self, **words: Any) -> Tensor:
        """deg2rad a"""
    def degrees(self, **words: Any) -> Tensor:
        """degrees a"""
    def det(self, **words: Any) -> Tensor:
        """det a"""
    def diag(self, k: Any = 0, **words: Any) -> Tensor:
        """the diagonal of a matrix; a vector as the diagonal of one that is 0 elsewhere"""
    def diagflat(self, k: Any = 0, **words: Any) -> Tensor:
        """all entries as the diagonal of a matrix that is 0 elsewhere"""
    def diagonal(self, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, **words: Any) -> Tensor:
        """a_ij with j = i + offset"""
    def diff(self, n: Any = 1, axis: Any = -1, prepend: Any = ..., append: Any = ..., **words: Any) -> Tensor:
        """y_i = a_{i+1} - a_i"""
    def digamma(self, *args: Any, **words: Any) -> Tensor: ...
    def digamma_(self, *args: Any, **words: Any) -> Tensor: ...
    def dim(self, **words: Any) -> Any: ...
    def dist(self, other: Any, p: Any = 2, **words: Any) -> Tensor: ...
    def div(self, other: Any, rounding_mode: Any = None, **words: Any) -> Tensor: ...
    def div_(self, other: Any, rounding_mode: Any = None, **words: Any) -> Tensor: ...
    def divide(self, b: Any, **words: Any) -> Tensor:
        """a / b"""
    def divide_(self, b: Any, **words: Any) -> Tensor:
        """a / b"""
    def divmod(self, b: Any, **words: Any) -> Tensor:
        """⌊a / b⌋, a - b · ⌊a / b⌋"""
    def dot(self, b: Any, out: Any = None, **words: Any) -> Tensor:
        """Σ a · b, over the last axis of a and the last but one of b"""
    def double(self, dtype: Any = 'float64', **words: Any) -> Tensor: ...
    def dsplit(self, indices_or_sections: Any, **words: Any) -> Any:
        """a cut along its third axis"""
    def element_size(self, **words: Any) -> Any: ...
    def eq(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def equal(self, other: Any, **words: Any) -> Any:
        """no gradient: piecewise constant"""
    def erf(self, *args: Any, **words: Any) -> Tensor:
        """2 / √π · ∫ e^(-t²) dt from 0 to a"""
    def erf_(self, *args: Any, **words: Any) -> Tensor:
        """2 / √π · ∫ e^(-t²) dt from 0 to a"""
    def erfc(self, *args: Any, **words: Any) -> Tensor:
        """1 - erf a"""
    def erfc_(self, *args: Any, **words: Any) -> Tensor:
        """1 - erf a"""
    def erfinv(self, *args: Any, **words: Any) -> Tensor:
        """y with erf y = a"""
    def erfinv_(self, *args: Any, **words: Any) -> Tensor:
        """y with erf y = a"""
    def exp(self, **words: Any) -> Tensor:
        """e^a"""
    def exp2(self, **words: Any) -> Tensor:
        """2^a"""
    def exp2_(self, **words: Any) -> Tensor:
        """2^a"""
    def exp_(self, **words: Any) -> Tensor:
        """e^a"""
    def expand(self, *sizes: Any, **words: Any) -> Tensor: ...
    def expand_as(self, other: Any, **words: Any) -> Tensor: ...
    def expand_dims(self, axis: Any = 0, **words: Any) -> Tensor:
        """with new axes of length 1"""
    def expm1(self, **words: Any) -> Tensor:
        """e^a - 1"""
    def expm1_(self, **words: Any) -> Tensor:
        """e^a - 1"""
    def fabs(self, **words: Any) -> Tensor:
        """|a|"""
    def fill(self, value: Any, **words: Any) -> Tensor: ...
    def fill_(self, value: Any, **words: Any) -> Tensor: ...
    def fix(self, out: Any = None, **words: Any) -> Tensor:
        """piecewise constant"""
    def fix_(self, out: Any = None, **words: Any) -> Tensor:
        """piecewise constant"""
    def flatten(self, start_dim: Any = 0, end_dim: Any = -1, order: Any = 'C', **words: Any) -> Tensor: ...
    def flip(self, *axes: Any, dims: Any = None, **words: Any) -> Tensor:
        """the entries in reverse order"""
    def fliplr(self, **words: Any) -> Tensor:
        """the columns in reverse order"""
    def flipud(self, **words: Any) -> Tensor:
        """the rows in reverse order"""
    def float(self, dtype: Any = 'float32', **words: Any) -> Tensor: ...
    def float_power(self, b: Any, **words: Any) -> Tensor:
        """a^b in float64"""
    def float_power_(self, b: Any, **words: Any) -> Tensor:
        """a^b in float64"""
    def floor(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def floor_(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def floor_divide(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def floor_divide_(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def fmax(self, b: Any, **words: Any) -> Tensor:
        """fmax(a, b)"""
    def fmin(self, b: Any, **words: Any) -> Tensor:
        """fmin(a, b)"""
    def fmod(self, b: Any, **words: Any) -> Tensor:
        """a - b · trunc(a / b)"""
    def fmod_(self, b: Any, **words: Any) -> Tensor:
        """a - b · trunc(a / b)"""
    def frac(self, **words: Any) -> Tensor: ...
    def frac_(self, **words: Any) -> Tensor: ...
    def gather(self, dim: Any, index: Any, **words: Any) -> Tensor: ...
    def gcd(self, **kwargs: Any) -> Tensor:
        """whole numbers and truth values"""
    def ge(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def gelu(self, **words: Any) -> Tensor:
        """a · Φ(a)"""
    def ger(self, b: Any, out: Any = None, **words: Any) -> Tensor:
        """a[i] · b[j]"""
    def greater(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def greater_equal(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def gt(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def half(self, dtype: Any = 'float16', **words: Any) -> Tensor: ...
    def heaviside(self, b: Any, **words: Any) -> Tensor:
        """heaviside(a, b)"""
    def hsplit(self, indices_or_sections: Any, **words: Any) -> Any:
        """a cut into groups of columns"""
    def hypot(self, b: Any, **words: Any) -> Tensor:
        """hypot(a, b)"""
    def hypot_(self, b: Any, **words: Any) -> Tensor:
        """hypot(a, b)"""
    def i0(self, **words: Any) -> Tensor:
        """i0 a"""
    def i0_(self, **words: Any) -> Tensor:
        """i0 a"""
    def igamma(self, *args: Any, **words: Any) -> Tensor: ...
    def igammac(self, *args: Any, **words: Any) -> Tensor: ...
    def index_add(self, dim: Any, index: Any, source: Any, alpha: Any = 1, **words: Any) -> Tensor: ...
    def index_fill(self, dim: Any, index: Any, value: Any, **words: Any) -> Tensor: ...
    def index_select(self, dim: Any, index: Any, **words: Any) -> Tensor: ...
    def inner(self, b: Any, **words: Any) -> Tensor:
        """Σ a[…, k] · b[…, k]"""
    def int(self, dtype: Any = 'int32', **words: Any) -> Tensor: ...
    def inverse(self, **words: Any) -> Tensor: ...
    def invert(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def is_contiguous(self, **words: Any) -> Any: ...
    def is_floating_point(self, **words: Any) -> Any: ...
    def is_nonzero(self, **words: Any) -> Any: ...
    def is_same_size(self, other: Any, **words: Any) -> Any: ...
    def isclose(self, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False, **words: Any) -> Tensor:
        """yes or no"""
    def isfinite(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def isin(self, test_elements: Any, assume_unique: Any = False, invert: Any = False, *, kind: Any = None, **words: Any) -> Tensor:
        """yes or no"""
    def isinf(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def isnan(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def isneginf(self, out: Any = None, **words: Any) -> Tensor:
        """piecewise constant"""
    def isposinf(self, out: Any = None, **words: Any) -> Tensor:
        """piecewise constant"""
    def isreal(self, **words: Any) -> Tensor:
        """whole numbers and truth values"""
    def kron(self, b: Any, **words: Any) -> Tensor:
        """a[i, j] · b[k, l] at (i · rows of b + k, j · columns of b + l)"""
    def kthvalue(self, k: Any, dim: Any = -1, keepdim: Any = False, **words: Any) -> Any: ...
    def lcm(self, **kwargs: Any) -> Tensor:
        """whole numbers and truth values"""
    def ldexp(self, n: Any, **words: Any) -> Tensor:
        """ldexp(a, n)"""
    def le(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def leaky_relu(self, slope: Any = 0.01, **words: Any) -> Tensor:
        """a where a > 0, else slope · a"""
    def lerp(self, end: Any, weight: Any, **words: Any) -> Tensor: ...
    def lerp_(self, end: Any, weight: Any, **words: Any) -> Tensor: ...
    def less(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def less_equal(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def lgamma(self, *args: Any, **words: Any) -> Tensor: ...
    def lgamma_(self, *args: Any, **words: Any) -> Tensor: ...
    def log(self, **words: Any) -> Tensor:
        """ln a"""
    def log10(self, **words: Any) -> Tensor:
        """log10 a"""
    def log10_(self, **words: Any) -> Tensor:
        """log10 a"""
    def log1p(self, **words: Any) -> Tensor:
        """ln(1 + a)"""
    def log1p_(self, **words: Any) -> Tensor:
        """ln(1 + a)"""
    def log2(self, **words: Any) -> Tensor:
        """log2 a"""
    def log2_(self, **words: Any) -> Tensor:
        """log2 a"""
    def log_(self, **words: Any) -> Tensor:
        """ln a"""
    def log_softmax(self, axis: Any = -1, **words: Any) -> Tensor:
        """a - ln Σ e^a"""
    def logaddexp(self, b: Any, **words: Any) -> Tensor:
        """ln(e^(a) + e^(b))"""
    def logaddexp2(self, b: Any, **words: Any) -> Tensor:
        """log2(2^(a) + 2^(b))"""
    def logcumsumexp(self, dim: Any, **words: Any) -> Tensor: ...
    def logdet(self, **words: Any) -> Tensor: ...
    def logical_and(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def logical_not(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def logical_or(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def logical_xor(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def logit(self, *args: Any, **words: Any) -> Tensor:
        """ln(a / (1 - a))"""
    def logit_(self, *args: Any, **words: Any) -> Tensor:
        """ln(a / (1 - a))"""
    def logsumexp(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """ln Σ e^a"""
    def long(self, dtype: Any = 'int64', **words: Any) -> Tensor: ...
    def lt(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def masked_fill(self, mask: Any, value: Any, **words: Any) -> Tensor: ...
    def masked_fill_(self, mask: Any, value: Any, **words: Any) -> Tensor: ...
    def masked_select(self, mask: Any, **words: Any) -> Tensor: ...
    def matmul(self, b: Any, **words: Any) -> Tensor:
        """a @ b"""
    def matrix_power(self, n: Any, **words: Any) -> Tensor:
        """a @ a @ … @ a"""
    def max(self, *args: Any, **params: Any) -> Any:
        """max a"""
    def maximum(self, b: Any, **words: Any) -> Tensor:
        """max(a, b)"""
    def mean(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """Σ a / n"""
    def median(self, *args: Any, dim: Any = None, keepdim: Any = False, **params: Any) -> Any:
        """the middle of the sorted a, or the mean of both that are in the middle"""
    def min(self, *args: Any, **params: Any) -> Any:
        """min a"""
    def minimum(self, b: Any, **words: Any) -> Tensor:
        """min(a, b)"""
    def mm(self, b: Any, **words: Any) -> Tensor:
        """a @ b"""
    def mod(self, b: Any, **words: Any) -> Tensor:
        """a - b · floor(a / b)"""
    def moveaxis(self, source: Any = 0, destination: Any = 0, **words: Any) -> Tensor:
        """axes moved to other places"""
    def movedim(self, source: Any, destination: Any, **words: Any) -> Tensor: ...
    def msort(self, **words: Any) -> Tensor: ...
    def mul(self, b: Any, **words: Any) -> Tensor:
        """a · b"""
    def mul_(self, b: Any, **words: Any) -> Tensor:
        """a · b"""
    def multiply(self, b: Any, **words: Any) -> Tensor:
        """a · b"""
    def multiply_(self, b: Any, **words: Any) -> Tensor:
        """a · b"""
    def mv(self, b: Any, **words: Any) -> Tensor:
        """a @ b"""
    def nan_to_num(self, nan: Any = 0.0, posinf: Any = None, neginf: Any = None, **words: Any) -> Tensor:
        """a where it is finite, else a number"""
    def nan_to_num_(self, nan: Any = 0.0, posinf: Any = None, neginf: Any = None, **words: Any) -> Tensor:
        """a where it is finite, else a number"""
    def nancumprod(self, axis: Any = None, dtype: Any = None, out: Any = None, **words: Any) -> Tensor:
        """the running product of what is not nan"""
    def nancumsum(self, axis: Any = None, dtype: Any = None, out: Any = None, **words: Any) -> Tensor:
        """the running sum of what is not nan"""
    def nanmax(self, axis: Any = None, out: Any = None, keepdims: Any = ..., initial: Any = ..., where: Any = ..., **words: Any) -> Tensor:
        """max of what is not nan"""
    def nanmean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = ..., *, where: Any = ..., **words: Any) -> Tensor:
        """the mean of what is not nan"""
    def nanmedian(self, *args: Any, dim: Any = None, keepdim: Any = False, **params: Any) -> Any:
        """the median of what is not nan"""
    def nanmin(self, axis: Any = None, out: Any = None, keepdims: Any = ..., initial: Any = ..., where: Any = ..., **words: Any) -> Tensor:
        """min of what is not nan"""
    def nanpercentile(self, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, method: Any = 'linear', keepdims: Any = ..., *, weights: Any = None, **words: Any) -> Tensor:
        """the percentile of what is not nan"""
    def nanprod(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = ..., initial: Any = ..., where: Any = ..., **words: Any) -> Tensor:
        """Π of what is not nan"""
    def nanquantile(self, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, method: Any = 'linear', keepdims: Any = ..., *, weights: Any = None, **words: Any) -> Tensor:
        """the quantile of what is not nan"""
    def nanstd(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = ..., *, where: Any = ..., mean: Any = ..., correction: Any = ..., **words: Any) -> Tensor:
        """√ nanvar a"""
    def nansum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = ..., initial: Any = ..., where: Any = ..., **words: Any) -> Tensor:
        """Σ of what is not nan"""
    def nanvar(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = ..., *, where: Any = ..., mean: Any = ..., correction: Any = ..., **words: Any) -> Tensor:
        """Σ (a - mean)² / (n - ddof) over what is not nan"""
    def narrow(self, dim: Any, start: Any, length: Any, **words: Any) -> Tensor: ...
    def ndimension(self, **words: Any) -> Any: ...
    def ne(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def neg(self, **words: Any) -> Tensor:
        """-a"""
    def neg_(self, **words: Any) -> Tensor:
        """-a"""
    def negative(self, **words: Any) -> Tensor:
        """-a"""
    def negative_(self, **words: Any) -> Tensor:
        """-a"""
    def nelement(self, **words: Any) -> Any: ...
    def new_full(self, size: Any, fill_value: Any, **words: Any) -> Tensor: ...
    def new_ones(self, *shape: Any, **words: Any) -> Tensor: ...
    def new_tensor(self, data: Any, **words: Any) -> Tensor: ...
    def new_zeros(self, *shape: Any, **words: Any) -> Tensor: ...
    def nextafter(self, **kwargs: Any) -> Tensor:
        """distances of floats"""
    def nextafter_(self, **kwargs: Any) -> Tensor:
        """distances of floats"""
    def nonzero(self, *, as_tuple: Any = True, **words: Any) -> Any:
        """places are whole numbers"""
    def norm(self, p: Any = 2, dim: Any = None, keepdim: Any = False, **words: Any) -> Tensor: ...
    def not_equal(self, b: Any, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def numel(self, **words: Any) -> Any: ...
    def outer(self, b: Any, out: Any = None, **words: Any) -> Tensor:
        """a[i] · b[j]"""
    def partition(self, kth: Any, axis: Any = -1, kind: Any = 'introselect', order: Any = None, **words: Any) -> Tensor:
        """a with the k-th smallest at place k, smaller ones before it"""
    def percentile(self, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, method: Any = 'linear', keepdims: Any = False, *, weights: Any = None, **words: Any) -> Tensor:
        """the sorted a at q / 100 · (n - 1), between entries interpolated"""
    def permute(self, *axes: Any, dims: Any = None, **words: Any) -> Tensor: ...
    def pinverse(self, rcond: Any = None, hermitian: Any = False, *, rtol: Any = ..., **words: Any) -> Tensor:
        """a⁺"""
    def positive(self, **words: Any) -> Tensor:
        """a"""
    def pow(self, b: Any, **words: Any) -> Tensor:
        """a^b"""
    def pow_(self, b: Any, **words: Any) -> Tensor:
        """a^b"""
    def power(self, b: Any, **words: Any) -> Tensor:
        """a^b"""
    def prod(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """Π a"""
    def ptp(self, axis: Any = None, out: Any = None, keepdims: Any = ..., **words: Any) -> Tensor:
        """max a - min a"""
    def qr(self, mode: Any = 'reduced', **words: Any) -> Any:
        """a = Q R"""
    def quantile(self, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, method: Any = 'linear', keepdims: Any = False, *, weights: Any = None, **words: Any) -> Tensor:
        """the sorted a at q · (n - 1), between entries interpolated"""
    def rad2deg(self, **words: Any) -> Tensor:
        """rad2deg a"""
    def rad2deg_(self, **words: Any) -> Tensor:
        """rad2deg a"""
    def radians(self, **words: Any) -> Tensor:
        """radians a"""
    def ravel(self, order: Any = 'C', **words: Any) -> Tensor:
        """the entries in one row"""
    def reciprocal(self, **words: Any) -> Tensor:
        """1 / a"""
    def reciprocal_(self, **words: Any) -> Tensor:
        """1 / a"""
    def relu(self, **words: Any) -> Tensor:
        """max(a, 0)"""
    def relu_(self, **words: Any) -> Tensor:
        """max(a, 0)"""
    def remainder(self, b: Any, **words: Any) -> Tensor:
        """a - b · floor(a / b)"""
    def remainder_(self, b: Any, **words: Any) -> Tensor:
        """a - b · floor(a / b)"""
    def repeat(self, repeats: Any, axis: Any = None, *more: Any, **words: Any) -> Tensor:
        """each entry of a several times, one after another"""
    def repeat_interleave(self, repeats: Any, axis: Any = None, **words: Any) -> Tensor:
        """each entry of a several times, one after another"""
    def reshape(self, *sizes: Any, shape: Any = None, order: Any = 'C', copy: Any = None, **words: Any) -> Tensor:
        """the entries in another shape"""
    def reshape_as(self, other: Any, **words: Any) -> Tensor: ...
    def rint(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def roll(self, shift: Any, axis: Any = None, **words: Any) -> Tensor:
        """a shifted along axes, what leaves at one end coming in at the other"""
    def rot90(self, k: Any = 1, axes: Any = ..., **words: Any) -> Tensor:
        """a turned by quarters in the plane of two axes"""
    def round(self, decimals: Any = 0, out: Any = None, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def round_(self, decimals: Any = 0, out: Any = None, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def rsqrt(self, **words: Any) -> Tensor: ...
    def rsqrt_(self, **words: Any) -> Tensor: ...
    def scatter_add(self, dim: Any, index: Any, src: Any, **words: Any) -> Tensor: ...
    def searchsorted(self, v: Any, side: Any = 'left', sorter: Any = None, **words: Any) -> Tensor:
        """places are whole numbers"""
    def select(self, dim: Any, index: Any, **words: Any) -> Tensor:
        """the entry of the first choice whose condition is true"""
    def sgn(self, **words: Any) -> Tensor: ...
    def short(self, dtype: Any = 'int16', **words: Any) -> Tensor: ...
    def sigmoid(self, **words: Any) -> Tensor:
        """1 / (1 + e^-a)"""
    def sigmoid_(self, **words: Any) -> Tensor:
        """1 / (1 + e^-a)"""
    def sign(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def sign_(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def signbit(self, **kwargs: Any) -> Tensor:
        """piecewise constant"""
    def sin(self, **words: Any) -> Tensor:
        """sin a"""
    def sin_(self, **words: Any) -> Tensor:
        """sin a"""
    def sinc(self, **words: Any) -> Tensor:
        """sin(π · a) / (π · a)"""
    def sinc_(self, **words: Any) -> Tensor:
        """sin(π · a) / (π · a)"""
    def sinh(self, **words: Any) -> Tensor:
        """sinh a"""
    def sinh_(self, **words: Any) -> Tensor:
        """sinh a"""
    def slogdet(self, **words: Any) -> Any:
        """(sign det a, ln |det a|)"""
    def softmax(self, axis: Any = -1, **words: Any) -> Tensor:
        """e^a / Σ e^a"""
    def softplus(self, **words: Any) -> Tensor:
        """ln(1 + e^a)"""
    def sort(self, axis: Any = -1, descending: Any = False, *, dim: Any = None, **options: Any) -> Any:
        """a sorted"""
    def split(self, split_size: Any, dim: Any = 0, **words: Any) -> Any:
        """a[:i], a[i:j], …"""
    def sqrt(self, **words: Any) -> Tensor:
        """√a"""
    def sqrt_(self, **words: Any) -> Tensor:
        """√a"""
    def square(self, **words: Any) -> Tensor:
        """a²"""
    def square_(self, **words: Any) -> Tensor:
        """a²"""
    def squeeze(self, axis: Any = None, **words: Any) -> Tensor:
        """without axes of length 1"""
    def std(self, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **words: Any) -> Tensor:
        """√ var a"""
    def sub(self, other: Any, alpha: Any = 1, **words: Any) -> Tensor: ...
    def sub_(self, other: Any, alpha: Any = 1, **words: Any) -> Tensor: ...
    def subtract(self, other: Any, alpha: Any = 1, **words: Any) -> Tensor:
        """a - b"""
    def subtract_(self, other: Any, alpha: Any = 1, **words: Any) -> Tensor:
        """a - b"""
    def sum(self, axis: Any = None, keepdims: Any = False, **words: Any) -> Tensor:
        """Σ a"""
    def svd(self, some: Any = True, **words: Any) -> Any: ...
    def swapaxes(self, axis1: Any = 0, axis2: Any = 1, **words: Any) -> Tensor:
        """two axes exchanged"""
    def swapdims(self, dim0: Any, dim1: Any, **words: Any) -> Tensor: ...
    def t(self, **words: Any) -> Tensor: ...
    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: Any = 'raise', **words: Any) -> Tensor:
        """a_i for every index i"""
    def take_along_dim(self, indices: Any, axis: Any = -1, **words: Any) -> Tensor: ...
    def tan(self, **words: Any) -> Tensor:
        """tan a"""
    def tan_(self, **words: Any) -> Tensor:
        """tan a"""
    def tanh(self, **words: Any) -> Tensor:
        """tanh a"""
    def tanh_(self, **words: Any) -> Tensor:
        """tanh a"""
    def tensor_split(self, indices_or_sections: Any, axis: Any = 0, **words: Any) -> Any:
        """a cut into parts of nearly equal lengths, or at given places"""
    def tile(self, *reps: Any, dims: Any = None, **words: Any) -> Tensor:
        """a several times along each axis"""
    def to(self, target: Any = None, *, device: Any = None, dtype: Any = None, **words: Any) -> Tensor: ...
    def tolist(self, **words: Any) -> Any: ...
    def topk(self, k: Any, dim: Any = -1, largest: Any = True, sorted: Any = True, **words: Any) -> Any: ...
    def trace(self, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None, **words: Any) -> Tensor:
        """Σ a[i, i]"""
    def transpose(self, *axes: Any, dim0: Any = None, dim1: Any = None, **words: Any) -> Tensor:
        """the axes in another order"""
    def trapezoid(self, x: Any = None, dx: Any = 1.0, axis: Any = -1, **words: Any) -> Tensor:
        """Σ (x_{i+1} - x_i) · (y_i + y_{i+1}) / 2"""
    def tril(self, k: Any = 0, **words: Any) -> Tensor:
        """a_ij where j ≤ i + k, else 0"""
    def tril_(self, k: Any = 0, **words: Any) -> Tensor:
        """a_ij where j ≤ i + k, else 0"""
    def triu(self, k: Any = 0, **words: Any) -> Tensor:
        """a_ij where j ≥ i + k, else 0"""
    def triu_(self, k: Any = 0, **words: Any) -> Tensor:
        """a_ij where j ≥ i + k, else 0"""
    def true_divide(self, b: Any, **words: Any) -> Tensor:
        """a / b"""
    def true_divide_(self, b: Any, **words: Any) -> Tensor:
        """a / b"""
    def trunc(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def trunc_(self, **words: Any) -> Tensor:
        """no gradient: piecewise constant"""
    def type(self, dtype: Any, **words: Any) -> Tensor: ...
    def type_as(self, other: Any, **words: Any) -> Tensor: ...
    def unbind(self, dim: Any = 0, **words: Any) -> Any: ...
    def unflatten(self, dim: Any, sizes: Any, **words: Any) -> Tensor: ...
    def unfold(self, dimension: Any, size: Any, step: Any, **words: Any) -> Tensor: ...
    def unique(self, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False, axis: Any = None, *, equal_nan: Any = True, sorted: Any = True, **words: Any) -> Any:
        """how many results there are changes with the values"""
    def unsqueeze(self, dim: Any, **words: Any) -> Tensor: ...
    def var(self, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **words: Any) -> Tensor:
        """Σ (a - mean a)² / (n - ddof)"""
    def vdot(self, b: Any, **words: Any) -> Tensor:
        """Σ a · b"""
    def vecdot(self, b: Any, axis: Any = -1, **words: Any) -> Tensor:
        """Σ a[…, k] · b[…, k]"""
    def view(self, *sizes: Any, shape: Any = None, order: Any = 'C', copy: Any = None, **words: Any) -> Tensor: ...
    def view_as(self, other: Any, **words: Any) -> Tensor: ...
    def vsplit(self, indices_or_sections: Any, **words: Any) -> Any:
        """a cut into groups of rows"""
    def where(self, condition: Any, other: Any, **words: Any) -> Tensor:
        """a where c, else b"""
    def xlogy(self, *args: Any, **words: Any) -> Tensor:
        """a · ln b"""
    def xlogy_(self, *args: Any, **words: Any) -> Tensor:
        """a · ln b"""
    def zero_(self, **words: Any) -> Tensor: ...
