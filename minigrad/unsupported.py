"""What of NumPy has neither a gradient rule nor a result to compare: each name with its reason, in one line.

The documentation prints it, MG-602 tells it to who calls such a function, and ``tests/ops/test_every_function.py``
holds NumPy's names against it. Functions of ``numpy.linalg`` stand here with their module, modules by their own name.
"""

from __future__ import annotations

_COMPLEX = "it gives complex numbers, which tensors do not hold"

# fmt: off
_REASONS: dict[str, str] = {
    _COMPLEX: "fft linalg.eig linalg.eigvals roots sort_complex emath",
    "coefficients of polynomials, of which NumPy trims zeros: write the sum of powers":
        "poly polyadd polyder polydiv polyfit polyint polymul polysub poly1d polynomial",
    "a constructor: it makes a bare array, for mg.Tensor to take":
        "arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat empty eye "
        "from_dlpack frombuffer fromfunction fromiter fromstring full identity indices matrix memmap ones rec recarray "
        "record require zeros",
    "windows and masks of a given size: a bare array":
        "bartlett blackman diag_indices hamming hanning kaiser mask_indices tri tril_indices triu_indices",
    "an index made by brackets: write np.concatenate, np.arange or np.meshgrid": "c_ r_ s_ index_exp mgrid ogrid",
    "it calls a function of Python on bare numbers: write np.stack([f(row) for row in t]), or np.where":
        "frompyfunc vectorize",
    "it goes over single entries, in Python": "broadcast flatiter ndenumerate ndindex nditer nested_iters",
    "dates and times, which tensors do not hold":
        "busday_count busday_offset busdaycalendar datetime64 datetime_as_string datetime_data is_busday isnat "
        "timedelta64",
    "files: write t.numpy(), or mg.nn.save_weights":
        "fromfile fromregex genfromtxt load loadtxt save savetxt savez savez_compressed",
    "an old name, which NumPy has given up: write np.vstack, np.trapezoid": "row_stack trapz",
    "it makes text, or reads it":
        "base_repr binary_repr char format_float_positional format_float_scientific str_ strings bytes_",
    "it speaks of types, shapes and Python's values, not of entries":
        "broadcast_shapes finfo iinfo isdtype isfortran isscalar issubdtype iterable mintypecode promote_types "
        "typename",
    "a setting of NumPy's":
        "errstate get_printoptions getbufsize geterr geterrcall printoptions set_printoptions setbufsize seterr "
        "seterrcall",
    "about NumPy itself": "get_include info linalg.test show_config show_runtime test",
    "a module": "core ctypeslib dtypes exceptions f2py lib linalg ma random testing typing",
    "a constant": "False_ True_ ScalarType e euler_gamma inf little_endian nan newaxis pi sctypeDict typecodes",
    "a class of arrays or of functions": "ndarray ufunc dtype chararray",
    "an error": "linalg.LinAlgError",
    "a type of single numbers":
        "bool bool_ byte cdouble character clongdouble complex128 complex192 complex256 complex64 complexfloating "
        "csingle double flexible float128 float16 float32 float64 float96 floating generic half inexact int16 int32 "
        "int64 int8 int_ integer intc intp long longdouble longlong number object_ short signedinteger single ubyte "
        "uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong unsignedinteger ushort void",
}
# fmt: on

UNSUPPORTED: dict[str, str] = {name: reason for reason, names in _REASONS.items() for name in names.split()}
"""Name -> why it is neither an operation nor a function without a gradient."""


def reason(name: str) -> str | None:
    """Return why a function of NumPy's (``"poly"``, ``"fft.rfft"``) is on the list, or None where it is not."""
    module, dot, _ = name.partition(".")
    whole = UNSUPPORTED.get(module) if dot and module not in ("linalg", "lib", "ma") else None
    return UNSUPPORTED.get(name) or whole
