"""``minigrad sample``: what a network writes that was trained on text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from minigrad.errors import DataError
from minigrad.escape import printable


def sample(
    run: Annotated[Path, typer.Argument(help="The run's folder.", show_default=False)],
    prompt: Annotated[str, typer.Option(help="how the text begins", show_default=False)] = "",
    length: Annotated[int, typer.Option(help="characters to write")] = 400,
    temperature: Annotated[
        float, typer.Option(help="below 1 safer, above 1 wilder; 0 the likeliest alone")
    ] = 0.8,
    top_k: Annotated[int, typer.Option(help="draw among so many of the likeliest; 0 for all")] = 0,
    top_p: Annotated[float, typer.Option(help="draw among the fewest that have this share")] = 1.0,
    seed: Annotated[int, typer.Option(help="where all chance comes from")] = 0,
) -> None:
    """Let a finished run write on from a prompt, character by character."""
    import numpy as np

    from minigrad.data.text import Vocabulary
    from minigrad.train.run import load_network
    from minigrad.train.texts import write

    model, network = load_network(run)
    if network.classes is None or not hasattr(model, "step"):
        raise DataError(
            "MG-532",
            f"the network of {run} was not trained on text, and does not write. Train one that does: "
            "minigrad train char-lstm",
        )
    vocabulary, chance = Vocabulary(tuple(network.classes)), np.random.default_rng(seed)
    settings = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    written = write(model, vocabulary, chance, prompt, **settings)  # type: ignore[arg-type]
    sys.stdout.write(printable(prompt, keep="\n"))
    for character in written:
        sys.stdout.write(printable(character, keep="\n"))
        sys.stdout.flush()
    sys.stdout.write("\n")
