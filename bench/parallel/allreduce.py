"""One process of the measurement of all-reduces; process 0 prints the sizes and the seconds as JSON."""

from __future__ import annotations

import json

from minigrad.parallel import join
from minigrad.parallel.costs import measure

SIZES = [4**k for k in range(3, 13)] + [407_080, 7_471_144]
"""Bytes: powers of four up to 16 MB, the gradients of 784-128-10, and those of 784-1024-1024-10."""


def main() -> None:
    communicator = join()
    measure(communicator, SIZES[-1:], 5)
    seconds = measure(communicator, SIZES)
    if communicator.is_root:
        print(json.dumps({"sizes": SIZES, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
