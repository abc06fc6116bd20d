"""``minigrad launch``."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def launch(
    command: Annotated[
        list[str],
        typer.Argument(help="train, with all that it takes.", metavar="train …", show_default=False),
    ],
    processes: Annotated[int, typer.Option("-n", help="how many processes share each batch")] = 2,
    threads: Annotated[
        int, typer.Option(help="threads of each; 0 divides the cores among them", show_default=False)
    ] = 0,
    deadline: Annotated[
        float | None, typer.Option(help="seconds to wait for another process, 60", show_default=False)
    ] = None,
    staleness: Annotated[
        int | None,
        typer.Option(
            help="train asynchronously, with gradients at most so many updates old", show_default=False
        ),
    ] = None,
) -> None:
    """Train on several processes of this machine: minigrad launch -n 4 train --epochs 10.

    They share each batch and average their gradients: n processes train the network that one would.

    On several machines, start the same with MPI: mpiexec -n 16 python -m mpi4py -m minigrad train.

    With --staleness, process 0 serves the weights and the others work each at its own pace.
    """
    from minigrad.parallel.launching import launch_command, launch_environment

    asks = {"--help", "-h"} & set(command)
    arguments = launch_command(1 if asks else processes, command)
    os.execve(arguments[0], arguments, launch_environment(processes, threads, deadline, staleness))
