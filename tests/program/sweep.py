"""The long sweeps of compiled steps, of which the tests run a part: ``python -m tests.program.sweep [networks]``.

So many random networks (500), each for twenty steps beside the eager step; then every program with a trap.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


class Count:
    """Counts tests, by the functions that they belong to."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        name = report.nodeid.partition("[")[0]
        self.passed[name] = self.passed.get(name, True) and not report.failed


def main(networks: int) -> int:
    """Run both, and print how many passed."""
    os.environ["MINIGRAD_EXAMPLES"] = str(networks)
    equal, traps = Count(), Count()
    name = "test_a_compiled_step_has_the_bits_of_the_eager_one"
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-show-statistics"]
    failed = pytest.main([*options, f"{HERE / 'test_equal.py'}::{name}"], plugins=[equal])
    failed |= pytest.main([*options[:3], str(HERE / "test_traps.py")], plugins=[traps])
    print(f"random networks: {networks}, equal: {all(equal.passed.values())}")
    print(f"programs with a trap: {sum(traps.passed.values())} of {len(traps.passed)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
