"""The registry: from a NumPy function, or a method's name, to the operation that stands for it.

It lies below ``Tensor`` so that Tensor can look operations up without importing, or naming, any of them;
``minigrad.ops`` fills it when the package is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.rules import Primitive

#: every differentiable operation by its name, in the order of definition
operations: dict[str, Primitive] = {}

#: ``np.sin`` -> what runs for ``np.sin(tensor)``
functions: dict[Callable[..., Any], Callable[..., Any]] = {}

#: ``"sum"`` -> what runs for ``tensor.sum()``
methods: dict[str, Callable[..., Any]] = {}
