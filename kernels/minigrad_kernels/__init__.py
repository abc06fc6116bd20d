"""Hand-written hot loops on bare arrays, each beside its NumPy reference; knows nothing of ``minigrad``."""

import warnings

# NumPy would name a line in here, which tells nobody what overflowed: the loops do not warn either, and whoever calls
# them sees the result.
warnings.filterwarnings(
    "ignore",
    r"(overflow|invalid value|divide by zero|underflow) encountered",
    RuntimeWarning,
    r"minigrad_kernels\.",
)
