"""``minigrad sample``, and what the other commands say to a run that writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from minigrad import nn
from minigrad.escape import printable
from tests.cli.shared import TINY, minigrad

TEXT = "the cat sat on the mat and the dog lay by the log\n" * 40


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    (folder / "cats.txt").write_text(TEXT)
    settings = ["--epochs", 2, "--batch-size", 4, "--context", 16, "--hidden", 16, "--layers", 2]
    said = minigrad("train", "char-lstm", "--data", folder / "cats.txt", *settings, "--out", folder / "run")
    assert "nats a character, perplexity" in " ".join(said.split())
    assert "minigrad sample" in said
    found = json.loads((folder / "run" / "config.json").read_text())
    assert (found["context"], found["hidden"], found["layers"]) == (16, 16, 2)
    return folder / "run"


def test_it_writes_on_from_the_prompt_and_the_same_with_the_same_seed(writer: Path) -> None:
    said = [minigrad("sample", writer, "--prompt", "the cat", "--length", 50, "--seed", s) for s in (1, 1, 2)]
    assert said[0].startswith("the cat")
    assert len(said[0]) == len("the cat") + 50 + 1
    assert said[0] == said[1] != said[2]
    assert set(said[0]) <= set(TEXT)


def test_at_temperature_0_it_takes_the_likeliest(writer: Path) -> None:
    said = {minigrad("sample", writer, "--temperature", 0, "--length", 20, "--seed", s) for s in (1, 2)}
    narrow = minigrad("sample", writer, "--top-k", 1, "--length", 20, "--seed", 3)
    assert said == {narrow}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prompt", "Über"], "MG-532"),
        (["--top-p", "2"], "MG-802"),
        (["--temperature", "-1"], "MG-802"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    writer: Path, options: list[str], words: str
) -> None:
    said = minigrad("sample", writer, *options, code=1 if words == "MG-532" else 2)
    assert words in said
    assert not said.startswith("Ü")


@pytest.mark.parametrize(
    "command", [["predict", "--row", "1,2"], ["prune", "--sparsity", "0.5"], ["quantize"]]
)
def test_commands_for_networks_that_read_samples_point_to_sample(writer: Path, command: list[str]) -> None:
    said = " ".join(minigrad(command[0], writer, *command[1:], code=1).split())
    assert "MG-532" in said
    assert "minigrad sample" in said


def test_evaluate_finds_the_same_loss(writer: Path) -> None:
    said = " ".join(minigrad("evaluate", writer).split())
    assert "nats a character, perplexity" in said
    assert "The same loss" in said


def test_a_network_that_tells_classes_apart_does_not_write(tmp_path: Path) -> None:
    minigrad("train", *TINY, "--out", tmp_path / "run")
    assert "MG-532" in minigrad("sample", tmp_path / "run", code=1)


def test_a_gpt_goes_on_beyond_its_context(writer: Path, tmp_path: Path) -> None:
    settings = ["--epochs", 1, "--batch-size", 8, "--context", 8, "--hidden", 8, "--layers", 1]
    data = ["--data", writer.parent / "cats.txt"]
    minigrad("train", "char-gpt", *data, *settings, "--out", tmp_path / "run")
    said = minigrad("sample", tmp_path / "run", "--prompt", "the cat sat on", "--length", 40)
    assert len(said) == len("the cat sat on") + 40 + 1
    assert (tmp_path / "run" / "samples" / "epoch-0001.txt").exists()


@pytest.mark.parametrize("arguments", [[], ["run", "--gpt2", "folder"]])
def test_one_network_writes(arguments: list[str]) -> None:
    assert "MG-803" in minigrad("sample", *arguments, code=2)


def test_a_gpt2_writes_what_it_generates(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    byte_level = tokenizers.pre_tokenizers.ByteLevel
    words = {character: i for i, character in enumerate(sorted(byte_level.alphabet()))}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE({**words, "<|endoftext|>": len(words)}, []))
    tokenizer.pre_tokenizer = byte_level(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    sizes = {"vocab_size": len(words) + 1, "n_positions": 16, "n_layer": 1, "n_head": 2, "n_embd": 8}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **sizes}))
    model = nn.GPT(len(words) + 1, 16, 1, 2, 8, rng=np.random.default_rng(0))
    turned = {
        name: np.ascontiguousarray(array.T if "c_" in name and name.endswith("weight") else array)
        for name, array in model.state_dict().items()
    }
    safetensors.numpy.save_file(turned, tmp_path / "model.safetensors")
    said = minigrad("sample", "--gpt2", tmp_path, "--prompt", "To be", "--length", 6, "--temperature", 0)
    model.tokenizer = tokenizer
    assert said == printable(model.generate("To be", 6, temperature=0), keep="\n") + "\n"
    assert minigrad("sample", "--gpt2", tmp_path, "--length", 3).endswith("\n")
