"""The documents' own programs (D0, D2, D3, D4), each as a network and the settings that belong to it.

On MNIST a recipe is the program as listed. On the 1,797 digits that come with minigrad the same program needs
other numbers of epochs, since an epoch has 41 updates there and not 1,875; ``docs/recipes.md`` tells how each maps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.errors import ConfigError
from minigrad.train.config import Config, check_choice
from minigrad.train.pictures import lenet, resnet
from minigrad.train.sequences import RowReader
from minigrad.train.texts import STREAMS, WINDOWS, CharacterGPT, CharacterRNN

Build = Callable[..., nn.Module]
"""(inputs, outputs, generator of the weights, generator of the dropout masks, the sizes by name) -> network"""


@dataclass(frozen=True)
class Recipe:
    """A program of the documents: where it stands, its network, its settings as listed and on the digits."""

    name: str
    document: str
    summary: str
    build: Build
    listed: dict[str, Any]
    on_digits: dict[str, Any]
    optimizer_settings: dict[str, Any]
    data: str = "digits"
    """What it trains on where nothing else is asked for."""
    sizes: tuple[str, ...] = ("hidden",)
    """The settings that its network is built with."""
    reads: str = ""
    """How it reads text, ``streams`` or ``windows`` (see ``train.texts``); empty where it reads samples."""
    sees: bool = False
    """Whether its network looks at pictures, and so is built for an ``image_shape``."""
    grows: bool = True
    """Whether its network has the more weights the more inputs it has."""

    def settings(self, data: str) -> dict[str, Any]:
        """Return the settings for this data: as listed where it is large, with the digits' changes elsewhere."""
        changes = {} if data in ("mnist", "line") else self.on_digits
        return {"recipe": self.name, "data": data, **self.listed, **changes}


def _dense(inputs: int, outputs: int, rng: np.random.Generator) -> nn.Linear:
    """Keras' ``Dense``: Glorot-uniform weights and a bias of 0."""
    return nn.Linear(inputs, outputs, rng=rng, init="glorot_uniform")


def _deep_adam(
    inputs: int, outputs: int, rng: np.random.Generator, _: np.random.Generator, hidden: int
) -> nn.Module:
    return nn.Sequential(
        _dense(inputs, hidden, rng),
        nn.ReLU(),
        _dense(hidden, hidden, rng),
        nn.ReLU(),
        _dense(hidden, outputs, rng),
    )


def _line_gd(inputs: int, outputs: int, rng: np.random.Generator, _: np.random.Generator) -> nn.Module:
    return nn.Linear(inputs, outputs, rng=rng)


def _mlp_sgd(
    inputs: int, outputs: int, rng: np.random.Generator, _: np.random.Generator, hidden: int
) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, hidden, rng=rng), nn.ReLU(), nn.Linear(hidden, outputs, rng=rng)
    )


def _mlp_dropout(
    inputs: int,
    outputs: int,
    rng: np.random.Generator,
    masks: np.random.Generator,
    hidden: int,
    dropout: float,
) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        _dense(inputs, hidden, rng),
        nn.ReLU(),
        nn.Dropout(dropout, rng=masks),
        _dense(hidden, outputs, rng),
    )


def _characters(kind: str) -> Build:
    """Recurrent layers over characters; ``kind`` is their class in ``nn``."""

    def build(
        inputs: int, outputs: int, rng: np.random.Generator, masks: np.random.Generator, **sizes: Any
    ) -> nn.Module:
        return CharacterRNN(getattr(nn, kind), outputs, rng=rng, masks=masks, **sizes)

    return build


def _char_gpt(
    inputs: int, outputs: int, rng: np.random.Generator, masks: np.random.Generator, **sizes: Any
) -> nn.Module:
    return CharacterGPT(outputs, rng=rng, masks=masks, **sizes)


def _rows_lstm(
    inputs: int, outputs: int, rng: np.random.Generator, masks: np.random.Generator, **sizes: Any
) -> nn.Module:
    return RowReader(inputs, outputs, rng=rng, masks=masks, **sizes)


def _character_recipe(name: str, kind: str, document: str, summary: str) -> Recipe:
    return Recipe(
        name=name,
        document=document,
        summary=summary,
        build=_characters(kind),
        listed={
            "epochs": 10,
            "batch_size": 32,
            "optimizer": "adam",
            "lr": 0.003,
            "schedule": "cosine",
            "clip_norm": 1.0,
            "validation": 0.05,
        },
        on_digits={},
        optimizer_settings={},
        data="python",
        sizes=("hidden", "layers", "dropout"),
        reads=STREAMS,
    )


def _picture_recipe(
    name: str, build: Build, document: str, summary: str, on_digits: dict[str, Any], **more: Any
) -> Recipe:
    return Recipe(
        name=name,
        document=document,
        summary=summary,
        build=build,
        listed={
            "epochs": 5,
            "batch_size": 64,
            "optimizer": "adam",
            "lr": 0.003,
            "schedule": "cosine",
            "validation": 0.0,
        },
        on_digits=on_digits,
        optimizer_settings={},
        sees=True,
        **more,
    )


_KERAS_ADAM = {"eps": 1e-7}

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="deep-adam",
            document="D0 section 4",
            summary="784-128-128-10 ReLU, Adam 0.001, the step schedule as printed, 20 epochs",
            build=_deep_adam,
            listed={
                "epochs": 20,
                "batch_size": 32,
                "optimizer": "adam",
                "lr": 0.001,
                "schedule": "step-as-printed",
                "validation": 0.0,
            },
            # The schedule leaves ten epochs at a tenth of the rate, 410 updates here: the rate has to make up for it.
            on_digits={"lr": 0.02, "validation": 0.1},
            optimizer_settings=_KERAS_ADAM,
        ),
        Recipe(
            name="line-gd",
            document="D2 section 4",
            summary="a line through points: Linear(1, 1), squared error, 1000 full-batch steps",
            build=_line_gd,
            listed={"epochs": 1000, "batch_size": 0, "optimizer": "gd", "lr": 0.01, "validation": 0.0},
            on_digits={},
            optimizer_settings={},
            data="line",
            sizes=(),
        ),
        Recipe(
            name="mlp-sgd",
            document="D3 section 4",
            summary="784-128-10 ReLU, cross-entropy, SGD 0.01, 10 epochs",
            build=_mlp_sgd,
            listed={"epochs": 10, "batch_size": 64, "optimizer": "sgd", "lr": 0.01, "validation": 0.0},
            # Plain SGD needs many updates or long ones: 4,860 of them at ten times the listed rate.
            on_digits={"epochs": 60, "batch_size": 16, "lr": 0.1, "validation": 0.1},
            optimizer_settings={},
        ),
        Recipe(
            name="mlp-dropout",
            document="D4 section 4",
            summary="784-128-10 ReLU with dropout 0.2, Adam 0.001, 5 epochs",
            build=_mlp_dropout,
            listed={"epochs": 5, "batch_size": 32, "optimizer": "adam", "lr": 0.001, "validation": 0.0},
            on_digits={"epochs": 80, "validation": 0.1},
            optimizer_settings=_KERAS_ADAM,
            sizes=("hidden", "dropout"),
        ),
        _picture_recipe(
            "lenet",
            lenet,
            "LeCun et al. 1998",
            "looks at pictures: LeNet-5, two convolutions and three dense layers, 5 epochs",
            # 61,706 weights and 1,294 digits: more dropout, so that these are not learnt by heart.
            {"epochs": 40, "batch_size": 32, "validation": 0.1, "dropout": 0.3},
            sizes=("dropout",),
        ),
        _picture_recipe(
            "resnet",
            resnet,
            "He et al. 2016",
            "looks at pictures, in colour too: residual blocks in three stages, 5 epochs",
            {"epochs": 20, "batch_size": 32, "validation": 0.1},
            sizes=("layers",),
            grows=False,
        ),
        _character_recipe(
            "char-rnn",
            "RNN",
            "Mikolov et al. 2010",
            "writes text, a letter at a time: a recurrent net, 10 epochs",
        ),
        _character_recipe(
            "char-lstm", "LSTM", "Graves 2013", "writes text, a letter at a time: an LSTM, 10 epochs"
        ),
        Recipe(
            name="char-gpt",
            document="Radford et al. 2018",
            summary="writes text, a letter at a time: a GPT of 4 layers, 5 epochs",
            build=_char_gpt,
            listed={
                "epochs": 5,
                "batch_size": 16,
                "optimizer": "adamw",
                "lr": 0.001,
                "schedule": "cosine",
                "clip_norm": 1.0,
                "weight_decay": 0.1,
                "validation": 0.05,
                "layers": 4,
                "dropout": 0.1,
            },
            on_digits={},
            optimizer_settings={},
            data="python",
            sizes=("hidden", "layers", "dropout", "context"),
            reads=WINDOWS,
        ),
        Recipe(
            name="rows-lstm",
            document="Le et al. 2015, section 4.2",
            summary="reads a digit row by row: an LSTM of 128, Adam 0.001, 10 epochs",
            build=_rows_lstm,
            listed={
                "epochs": 10,
                "batch_size": 32,
                "optimizer": "adam",
                "lr": 0.001,
                "clip_norm": 1.0,
                "validation": 0.0,
                "dropout": 0.0,
            },
            on_digits={"epochs": 40, "lr": 0.005, "schedule": "cosine", "validation": 0.1},
            optimizer_settings={},
            sizes=("hidden", "layers", "dropout"),
        ),
    )
}
DEFAULT = "mlp-dropout"


def recipe_named(name: str) -> Recipe:
    """Return the recipe of this name; ConfigError MG-802 names the valid ones."""
    check_choice("recipe", name, RECIPES)
    return RECIPES[name]


def network_of(
    config: Config,
    inputs: int,
    outputs: int,
    weights: np.random.Generator,
    masks: np.random.Generator,
    image_shape: Sequence[int] | None = None,
) -> nn.Module:
    """Build the network of a config's recipe, in its sizes, for so many inputs and outputs.

    Raises ConfigError MG-803 where the config sets a size that the recipe's network does not have, and MG-624 where it
    looks at pictures and the inputs are none.
    """
    recipe = recipe_named(config.recipe)
    for name in ("hidden", "dropout", "layers", "context"):
        known = {
            other.name: (*other.sizes, *(["context"] if other.reads else [])) for other in RECIPES.values()
        }
        if name not in known[recipe.name] and getattr(config, name) != getattr(Config, name):
            having = ", ".join(other for other, names in known.items() if name in names)
            raise ConfigError(
                "MG-803", f"{name} is no setting of {recipe.name}: it is one of {having}. Leave it out."
            )
    sizes = {name: getattr(config, name) for name in recipe.sizes}
    if recipe.sees:
        if image_shape is None:
            raise ConfigError(
                "MG-624",
                f"{config.recipe} looks at pictures, and {config.data} holds rows of {inputs} numbers without rows and "
                "columns. Use mlp-dropout for it, or save x as (n, height, width) in an .npz file.",
            )
        sizes["image_shape"] = image_shape
    return recipe.build(inputs, outputs, weights, masks, **sizes)
