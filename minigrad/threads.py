"""How many threads a computation on the CPU may use: one number for the matrix library and the compiled kernels."""

from __future__ import annotations

from minigrad_kernels import launch

from minigrad.errors import ConfigError


def set_threads(n: int) -> None:
    """Let BLAS and the compiled kernels each use ``n`` threads from now on, or as many as they have if that is less.

    It holds for the libraries that are loaded and, for the kernels, for the Python thread that calls it. The results
    do not depend on it. Raises ConfigError MG-802 where n is below 1.
    """
    if n < 1:
        raise ConfigError("MG-802", f"threads must be 1 or more, not {n}.")
    from threadpoolctl import threadpool_limits

    threadpool_limits(n, user_api="blas")
    launch.set_threads(n)


def threads() -> dict[str, int]:
    """Return how many threads ``"BLAS"`` and the ``"kernels"`` use; one that is not there is left out."""
    from threadpoolctl import threadpool_info

    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    compiler = launch.numba()
    kernels = [] if compiler is None else [compiler.get_num_threads()]
    return {name: each[0] for name, each in (("BLAS", pools), ("kernels", kernels)) if each}
