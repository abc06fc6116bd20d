"""The GPT: against the same network in PyTorch, with and without its cache, and read from a folder of GPT-2's."""

from __future__ import annotations

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DataError, ShapeError
from minigrad.nn.sampling import Sampling
from tests.nn.parity import close

SIZES = {"vocab_size": 23, "block_size": 12, "n_layer": 3, "n_head": 2, "n_embd": 8}


def small(**options):
    model = nn.GPT(**(SIZES | options), rng=np.random.default_rng(0))
    for parameter in model.parameters():  # initial weights are so small that all logits are alike
        parameter.data[...] += np.random.default_rng(parameter.size).normal(0, 0.3, parameter.shape)
    return model


def with_pytorch(torch, model, ids, gelu):
    """The logits by PyTorch's functions, from the same weights."""
    weights = {
        name: torch.tensor(p.numpy(), requires_grad=True) for name, p in model.named_parameters().items()
    }
    f = torch.nn.functional

    def dense(x, name):
        return f.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(x, name):
        return f.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])

    samples, n = ids.shape
    x = weights["wte.weight"][torch.tensor(ids)] + weights["wpe.weight"][:n]
    for i in range(model.n_layer):
        q, k, v = dense(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").split(model.n_embd, -1)
        q, k, v = (a.reshape(samples, n, model.n_head, -1).transpose(1, 2).contiguous() for a in (q, k, v))
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        scores = scores.masked_fill(torch.ones(n, n).triu(1).bool(), -torch.inf)
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(samples, n, -1)
        x = x + dense(y, f"h.{i}.attn.c_proj")
        inner = f.gelu(dense(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"), approximate=gelu)
        x = x + dense(inner, f"h.{i}.mlp.c_proj")
    head = weights["wte.weight"] if model.lm_head is None else weights["lm_head.weight"]
    return norm(x, "ln_f") @ head.T, weights


@pytest.mark.parametrize("options", [{}, {"gelu": "none", "bias": False}, {"tied": False, "n_inner": 5}])
def test_logits_and_gradients_are_pytorchs(options):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model = small(**options).to("float64")
    rng = np.random.default_rng(0)
    ids, labels = rng.integers(0, 23, (3, 9)), rng.integers(0, 23, 27)
    logits = model(ids)
    theirs, weights = with_pytorch(torch, model, ids, options.get("gelu", "tanh"))
    close(logits.numpy(), theirs.detach().numpy(), "logits")
    nn.cross_entropy(np.reshape(logits, (27, 23)), labels).backward()
    torch.nn.functional.cross_entropy(theirs.reshape(27, 23), torch.tensor(labels)).backward()
    for name, parameter in model.named_parameters():
        close(parameter.grad.numpy(), weights[name].grad.numpy(), name)


def test_initial_weights_are_gpt2s():
    model = nn.GPT(500, 60, 6, 4, 64, rng=np.random.default_rng(0))
    for name, parameter in model.named_parameters():
        array = parameter.numpy()
        if name.endswith("bias"):
            assert (array == 0).all()
        elif ".ln_" in name or name.startswith("ln_f"):
            assert (array == 1).all()
        else:
            wanted = 0.02 / np.sqrt(12) if name.endswith("c_proj.weight") else 0.02
            assert abs(array.std() / wanted - 1) < 0.05, name
    assert "lm_head.weight" not in model.state_dict()
    # 12·L·w² + 13·L·w in the blocks, and the two tables and the last norm
    assert model.count_parameters() == 6 * (12 * 64**2 + 13 * 64) + (500 + 60) * 64 + 2 * 64


def test_it_learns_a_text_by_heart():
    rng = np.random.default_rng(0)
    model = nn.GPT(5, 8, 1, 2, 16, rng=rng)
    text = np.array([0, 1, 2, 0, 3, 4, 1, 1, 2])
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.cross_entropy(np.squeeze(model(text[None, :-1]), 0), text[1:])
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01
    np.testing.assert_array_equal(model.generate(text[:1], 8, temperature=0), text)


@pytest.mark.parametrize("prompt", [[3], [[1, 2, 3], [4, 5, 6]], list(range(20))])
@pytest.mark.parametrize("options", [{"temperature": 0}, {"temperature": 0.8, "top_k": 5}, {"top_p": 0.7}])
def test_the_same_text_with_and_without_the_cache_also_past_the_last_position(prompt, options):
    model = small()

    def run(cache):
        rng = None if options.get("temperature") == 0 else np.random.default_rng(1)
        return model.generate(np.array(prompt), 25, **options, rng=rng, cache=cache)

    np.testing.assert_array_equal(run(True), run(False))
    assert run(True).shape == (*np.shape(prompt)[:-1], np.shape(prompt)[-1] + 25)
    assert model.training


def test_the_cache_reads_in_pieces_what_is_read_at_once():
    from minigrad.nn.gpt import Cache

    model = small().eval()
    ids = np.random.default_rng(0).integers(0, 23, (2, 12))
    cache = Cache(model.n_layer)
    with mg.no_grad():
        whole = model(ids).numpy()
        pieces = [model(ids[:, a:b], cache).numpy() for a, b in [(0, 4), (4, 5), (5, 9), (9, 12)]]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=1e-4, atol=1e-5)
    with pytest.raises(ShapeError, match=r"MG-534 .*behind 12 others"):
        model(ids[:, :1], cache)


def test_dropout_needs_its_generator_and_repeats_with_it():
    model = small(dropout=0.3)
    ids = np.arange(6)[None]
    with pytest.raises(ConfigError, match="MG-508"):
        model(ids)
    results = []
    for _ in range(2):
        nn.seed_dropout(model, 3)
        results.append(model(ids).numpy())
    np.testing.assert_array_equal(*results)
    assert not np.array_equal(results[0], model(ids).numpy())


class TestSampling:
    logits = np.log([[0.5, 0.3, 0.15, 0.05]])

    @pytest.mark.parametrize(
        ("options", "wanted"),
        [
            ({}, [0.5, 0.3, 0.15, 0.05]),
            ({"top_k": 2}, [0.625, 0.375, 0, 0]),
            ({"top_p": 0.79}, [0.625, 0.375, 0, 0]),
            ({"top_p": 0.81}, [10 / 19, 6 / 19, 3 / 19, 0]),
            ({"top_p": 1e-9}, [1, 0, 0, 0]),
            ({"temperature": 0.5}, np.array([0.25, 0.09, 0.0225, 0.0025]) / 0.365),
        ],
    )
    def test_probabilities(self, options, wanted):
        sampling = Sampling(**options, rng=np.random.default_rng(0))
        close(sampling.probabilities(self.logits)[0], wanted)
        drawn = sampling(np.repeat(self.logits, 4000, axis=0))
        assert np.abs(np.bincount(drawn, minlength=4) / 4000 - wanted).max() < 0.04

    @pytest.mark.parametrize(
        "options", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.1}, {"temperature": np.nan}]
    )
    def test_settings_out_of_range(self, options):
        with pytest.raises(ConfigError, match="MG-802"):
            Sampling(**options, rng=np.random.default_rng(0))

    def test_a_generator_is_needed(self):
        with pytest.raises(ConfigError, match="MG-508"):
            small().generate([1], 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny GPT-2 with random weights, as Hugging Face's libraries write it, and their model."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("gpt2")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(["To be, or not to be: that is the question"] * 3, trainer)
    tokenizer.save(str(path / "tokenizer.json"))
    config = transformers.GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=32, n_embd=24, n_layer=2, n_head=3,
        initializer_range=0.3, bos_token_id=0, eos_token_id=None,
    )  # fmt: skip
    theirs = transformers.GPT2LMHeadModel(config).eval()
    theirs.save_pretrained(path)
    return path, theirs


def test_a_gpt2_from_a_folder_has_transformers_logits_and_text(folder):
    import torch

    path, theirs = folder
    ours = nn.GPT.from_gpt2(path)
    ids = ours.tokenizer.encode("To be, or not").ids
    with mg.no_grad(), torch.no_grad():
        mine, other = ours(np.array([ids])).numpy(), theirs(torch.tensor([ids])).logits.numpy()
    assert np.abs(other).max() > 1
    np.testing.assert_allclose(mine, other, atol=1e-4)
    wanted = theirs.generate(torch.tensor([ids]), max_new_tokens=15, do_sample=False, pad_token_id=0)[
        0
    ].tolist()
    assert ours.generate(np.array(ids), 15, temperature=0).tolist() == wanted
    assert ours.generate("To be, or not", 15, temperature=0) == ours.tokenizer.decode(wanted)


def settings(tmp_path, **changes):
    model = small()
    config = {
        "model_type": "gpt2", "vocab_size": 23, "n_positions": 12, "n_layer": 3, "n_head": 2, "n_embd": 8, **changes
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    arrays = {
        n: np.ascontiguousarray(a.T) if n.endswith(turned) else a for n, a in model.state_dict().items()
    }
    return model, arrays


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_a_folder_by_its_documented_names(tmp_path, prefix):
    """Without the transformers library: names as the published files have them, with their masks."""
    from safetensors.numpy import save_file

    model, arrays = settings(tmp_path)
    arrays = {prefix + name: array for name, array in arrays.items()}
    arrays[f"{prefix}h.0.attn.bias"] = np.tri(12, dtype="float32")[None, None]
    save_file(arrays, tmp_path / "model.safetensors")
    read = nn.GPT.from_gpt2(tmp_path)
    ids = np.arange(10)[None]
    np.testing.assert_array_equal(read(ids).numpy(), model.eval()(ids).numpy())
    assert read.tokenizer is None
    with pytest.raises(ConfigError, match="MG-536"):
        read.generate("a", 1, temperature=0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model_type": "bert"}, "model_type is 'bert'"),
        ({"activation_function": "relu"}, "activation_function is 'relu'"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
        ({"n_head": None}, "does not describe a GPT-2"),
    ],
)
def test_other_models_are_refused(tmp_path, changes, text):
    settings(tmp_path, **changes)
    with pytest.raises(DataError, match="MG-535") as error:
        nn.GPT.from_gpt2(tmp_path)
    assert text in str(error.value)


def test_folders_that_hold_nothing_or_other_weights_are_refused(tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(DataError, match="MG-535"):
        nn.GPT.from_gpt2(tmp_path / "missing")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(DataError, match="MG-535"):
        nn.GPT.from_gpt2(tmp_path)
    _, arrays = settings(tmp_path)
    with pytest.raises(DataError, match="MG-711"):
        nn.GPT.from_gpt2(tmp_path)
    arrays.pop("ln_f.bias")
    save_file(arrays, tmp_path / "model.safetensors")
    with pytest.raises(DataError, match=r"MG-713 [\s\S]*missing: ln_f.bias"):
        nn.GPT.from_gpt2(tmp_path)
