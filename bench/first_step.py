"""``minigrad train`` up to the end of its first update, then out.

python -m bench.first_step FOLDER
"""

from __future__ import annotations

import os
import sys

from minigrad import cli
from minigrad.train.progress import ShowProgress


def main() -> None:
    ShowProgress.on_step_end = lambda *_: os._exit(0)  # type: ignore[method-assign]
    sys.argv = ["minigrad", "train", "--plain", "--out", sys.argv[1]]
    cli.main()


if __name__ == "__main__":
    main()
