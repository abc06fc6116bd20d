"""``minigrad sample``: what a network writes that was trained on text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from minigrad.errors import ConfigError, DataError
from minigrad.escape import printable


def sample(
    run: Annotated[Path | None, typer.Argument(help="The run's folder.", show_default=False)] = None,
    gpt2: Annotated[
        Path | None, typer.Option(help="a GPT-2 in Hugging Face's format instead", show_default=False)
    ] = None,
    prompt: Annotated[str, typer.Option(help="how the text begins", show_default=False)] = "",
    length: Annotated[int, typer.Option(help="characters to write, or tokens of a GPT-2")] = 400,
    temperature: Annotated[
        float, typer.Option(help="below 1 safer, above 1 wilder; 0 the likeliest alone")
    ] = 0.8,
    top_k: Annotated[int, typer.Option(help="draw among so many of the likeliest; 0 for all")] = 0,
    top_p: Annotated[float, typer.Option(help="draw among the fewest that have this share")] = 1.0,
    seed: Annotated[int, typer.Option(help="where all chance comes from")] = 0,
) -> None:
    """Let a finished run, or a GPT-2, write on from a prompt."""
    import numpy as np

    from minigrad import nn
    from minigrad.data.text import Vocabulary
    from minigrad.train.run import load_network
    from minigrad.train.texts import write, write_tokens

    if (run is None) == (gpt2 is None):
        raise ConfigError(
            "MG-803",
            "one network writes: give a run's folder, minigrad sample RUN, or a GPT-2's, "
            "minigrad sample --gpt2 FOLDER.",
        )
    chance = np.random.default_rng(seed)
    settings: dict[str, Any] = {
        "length": length,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
    }
    if gpt2 is not None:
        written = write_tokens(nn.GPT.from_gpt2(gpt2), chance, prompt, **settings)
    else:
        assert run is not None
        model, network = load_network(run)
        if network.classes is None or not hasattr(model, "step"):
            raise DataError(
                "MG-532",
                f"the network of {run} was not trained on text, and does not write. Train one that does: "
                "minigrad train char-lstm",
            )
        written = write(model, Vocabulary(tuple(network.classes)), chance, prompt, **settings)
    sys.stdout.write(printable(prompt, keep="\n"))
    for character in written:
        sys.stdout.write(printable(character, keep="\n"))
        sys.stdout.flush()
    sys.stdout.write("\n")
