"""Reading a GPT-2 as Hugging Face's libraries write it: a folder of settings, weights and a tokenizer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import DataError
from minigrad.extras import extra
from minigrad.files import load_arrays, read_json

if TYPE_CHECKING:
    from minigrad.nn.gpt import GPT

_TURNED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
"""Weights that are kept as (in, out) there, and as (out, in) here."""

_GELUS = {"gelu_new": "tanh", "gelu_pytorch_tanh": "tanh", "gelu_fast": "tanh", "gelu": "none"}


def _settings(folder: Path) -> dict[str, Any]:
    try:
        config = read_json(folder / "config.json")
        sizes = {
            "vocab_size": int(config["vocab_size"]),
            "block_size": int(config.get("n_positions") or config["n_ctx"]),
            "n_layer": int(config["n_layer"]),
            "n_head": int(config["n_head"]),
            "n_embd": int(config["n_embd"]),
        }
    except OSError as error:
        raise DataError(
            "MG-535",
            f"{folder} holds no config.json that can be read ({error}). A GPT-2 is a folder with config.json, "
            "model.safetensors and, for texts, tokenizer.json, as save_pretrained writes it.",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "MG-535",
            f"{folder / 'config.json'} does not describe a GPT-2: {type(error).__name__} {error}. It needs vocab_size, "
            "n_positions, n_layer, n_head and n_embd.",
        ) from error
    activation = config.get("activation_function", "gelu_new")
    unknown = [
        f"{key} is {value!r}"
        for key, value, fits in (
            ("model_type", config.get("model_type", "gpt2"), config.get("model_type", "gpt2") == "gpt2"),
            ("activation_function", activation, activation in _GELUS),
            ("scale_attn_weights", config.get("scale_attn_weights"), config.get("scale_attn_weights", True)),
            (
                "scale_attn_by_inverse_layer_idx",
                True,
                not config.get("scale_attn_by_inverse_layer_idx", False),
            ),
            ("add_cross_attention", True, not config.get("add_cross_attention", False)),
        )
        if not fits
    ]
    if unknown:
        raise DataError(
            "MG-535",
            f"{folder / 'config.json'} asks for what this GPT does not compute: {', '.join(unknown)}. GPT-2 has "
            f"model_type 'gpt2' and one of the activations {', '.join(_GELUS)}.",
        )
    return sizes | {
        "gelu": _GELUS[activation],
        "n_inner": config.get("n_inner"),
        "eps": float(config.get("layer_norm_epsilon", 1e-5)),
        "tied": bool(config.get("tie_word_embeddings", True)),
    }


def _renamed(arrays: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """Weights by the names that they have here, the causal masks that old files hold left out."""
    found = {}
    for name, array in arrays.items():
        name = name.removeprefix("transformer.")
        if not name.endswith((".attn.bias", ".attn.masked_bias")):
            found[name] = array.T if name.endswith(_TURNED) else array
    return found


def read(make: type[GPT], folder: str | os.PathLike[str]) -> GPT:
    """See ``GPT.from_gpt2``; the model is in evaluation, its ``tokenizer`` is None where the folder has none."""
    path = Path(folder)
    settings = _settings(path)
    weights = _renamed(load_arrays(path / "model.safetensors")[0])
    if settings["tied"]:
        weights.pop("lm_head.weight", None)
    model = make(rng=np.random.default_rng(0), **settings)
    model.load_state_dict(weights)
    if (path / "tokenizer.json").exists():
        tokenizers = extra("tokenizers", "text", "reading a GPT-2's tokenizer.json")
        model.tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
    return model.eval()
