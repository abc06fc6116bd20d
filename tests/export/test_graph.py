from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="exports are checked in onnxruntime")
import onnx

from minigrad import nn
from minigrad.errors import ConfigError, DataError
from minigrad.export import graph
from minigrad.export.check import compare, outputs
from minigrad.export.graph import LAYERS, model_of
from minigrad.nn import Buffer
from minigrad.train.pictures import Pictures, Residual
from minigrad.train.sequences import RowReader
from minigrad.train.texts import CharacterGPT, CharacterRNN

RNG = np.random.default_rng(0)


def dense(inputs: int, out: int, bias: bool = True) -> nn.Linear:
    return nn.Linear(inputs, out, bias, rng=RNG)


def writer(kind: Any, both: bool) -> nn.Module:
    model = CharacterRNN(kind, 7, 4, 2, 0.1, RNG, RNG)
    if both:
        options = {"bias": False, "batch_first": True, "bidirectional": True, "rng": RNG}
        model.layers, model.head = kind(4, 4, 1, **options), dense(8, 7)
    return model


CASES: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "Linear": (dense(5, 3), (5,)),
    "Linear without bias": (dense(5, 3, bias=False), (5,)),
    "Linear on three axes": (dense(5, 3), (4, 5)),
    "Linear on three axes without bias": (dense(5, 3, bias=False), (4, 5)),
    "Sequential": (nn.Sequential(nn.Sequential(dense(5, 3), nn.ReLU()), dense(3, 2)), (5,)),
    "Flatten": (nn.Sequential(nn.Flatten(), dense(12, 3)), (3, 4)),
    "Flatten of rows": (nn.Sequential(nn.Flatten(), dense(12, 3)), (12,)),
    "Dropout": (nn.Sequential(dense(5, 3), nn.Dropout(0.5, rng=RNG)), (5,)),
    "ReLU": (nn.ReLU(), (5,)),
    "LeakyReLU": (nn.LeakyReLU(0.3), (5,)),
    "GELU": (nn.GELU(), (5,)),
    "Sigmoid": (nn.Sigmoid(), (5,)),
    "Tanh": (nn.Tanh(), (5,)),
    "Softmax": (nn.Softmax(), (5,)),
    "Softmax over another axis": (nn.Softmax(axis=1), (3, 5)),
    "LayerNorm": (nn.LayerNorm(5), (5,)),
    "LayerNorm over two axes": (nn.LayerNorm((3, 5)), (3, 5)),
    "LayerNorm without bias": (nn.LayerNorm(5, bias=False), (5,)),
    "LayerNorm without weights": (nn.LayerNorm(5, elementwise_affine=False), (2, 5)),
    "RMSNorm": (nn.RMSNorm(5), (5,)),
    "RMSNorm over two axes without weight": (nn.RMSNorm((3, 5), eps=0.1, elementwise_affine=False), (3, 5)),
    "GroupNorm": (nn.GroupNorm(2, 6), (6, 3, 4)),
    "GroupNorm of rows": (nn.GroupNorm(2, 6, affine=False), (6,)),
    "BatchNorm1d": (nn.BatchNorm1d(5), (5,)),
    "BatchNorm1d along a length": (nn.BatchNorm1d(5, affine=False), (5, 3)),
    "BatchNorm2d": (nn.BatchNorm2d(3), (3, 4, 2)),
    "BatchNorm2d by the batch": (nn.BatchNorm2d(3, track_running_stats=False), (3, 4, 2)),
    "Conv1d": (nn.Conv1d(4, 6, 3, 2, 1, groups=2, rng=RNG), (4, 7)),
    "Conv2d": (nn.Conv2d(2, 3, (3, 2), padding="same", padding_mode="circular", rng=RNG), (2, 4, 5)),
    "ConvTranspose1d": (nn.ConvTranspose1d(2, 3, 3, 2, output_padding=1, rng=RNG), (2, 4)),
    "ConvTranspose2d": (nn.ConvTranspose2d(2, 3, 3, (2, 1), padding=1, rng=RNG), (2, 4, 5)),
    "MaxPool": (nn.Sequential(nn.MaxPool2d(2), nn.Flatten(2), nn.MaxPool1d(3, 1, 1)), (2, 4, 5)),
    "AvgPool": (
        nn.Sequential(nn.AvgPool2d(2, divisor_override=3), nn.Flatten(2), nn.AvgPool1d(2)),
        (2, 4, 5),
    ),
    "AdaptiveAvgPool": (
        nn.Sequential(nn.AdaptiveAvgPool2d((1, None)), nn.Flatten(2), nn.AdaptiveAvgPool1d(1)),
        (2, 4, 5),
    ),
    "Pictures in residual blocks": (
        nn.Sequential(Pictures((6, 5, 3)), Residual(3, 4, 2, RNG), Residual(4, 4, 1, RNG)),
        (90,),
    ),
    "Flatten of inner axes": (nn.Flatten(1, 2), (2, 3, 4)),
    "Flatten of the last axes": (nn.Flatten(2), (2, 3, 4)),
    "Unflatten": (nn.Unflatten(1, (2, -1)), (6, 3)),
    "Identity": (nn.Identity(), (3,)),
    "PReLU": (nn.Sequential(nn.PReLU(3), nn.PReLU()), (3, 4)),
    "LogSoftmax": (nn.LogSoftmax(dim=1), (3, 5)),
    "Softmin": (nn.Softmin(), (5,)),
    "GELU by tanh": (nn.GELU("tanh"), (5,)),
    "GLU": (nn.Sequential(nn.GLU(dim=1), nn.GLU()), (4, 6)),
    "ELU": (nn.ELU(0.3), (5,)),
    "CELU": (nn.CELU(0.3), (5,)),
    "Softplus": (nn.Softplus(2.0, threshold=1.5), (5,)),
    "Hardtanh": (nn.Hardtanh(-0.5, 1.5), (5,)),
    **{
        kind.__name__: (kind(), (5,))
        for kind in (
            *(nn.SiLU, nn.Mish, nn.SELU, nn.LogSigmoid, nn.Softsign, nn.Tanhshrink, nn.ReLU6),
            *(nn.Hardsigmoid, nn.Hardswish),
        )
    },
    "GPT": (nn.GPT(7, 6, 2, 2, 8, rng=RNG), (5,)),
    "GPT by the exact GELU": (
        nn.GPT(7, 6, 1, 1, 4, bias=False, gelu="none", tied=False, rng=RNG),
        (6,),
    ),
    **{
        f"{kind.__name__} over characters{', in both directions' * both}": (
            writer(kind, both),
            (6,),
        )
        for kind in (nn.RNN, nn.GRU, nn.LSTM)
        for both in (False, True)
    },
    "GPT over characters": (CharacterGPT(7, 8, 1, 0.0, 6, RNG, RNG), (5,)),
    "rows": (RowReader(16, 3, 5, 2, 0.1, RNG, RNG), (16,)),
    "MultiheadAttention": (nn.MultiheadAttention(6, 3, batch_first=True, rng=RNG), (4, 6)),
    "MultiheadAttention, times first": (nn.MultiheadAttention(6, 2, bias=False, rng=RNG), (4, 6)),
    "MultiheadAttention of one sample": (nn.MultiheadAttention(4, 1, rng=RNG), (4,)),
    "TransformerEncoderLayer": (nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, rng=RNG), (4, 6)),
    "TransformerEncoder": (
        nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 8, 0.0, "gelu", norm_first=True, rng=RNG), 2, nn.LayerNorm(4)
        ),
        (3, 4),
    ),
    "a layer as an encoder's activation": (
        nn.TransformerEncoderLayer(4, 2, 8, activation=nn.SiLU(), batch_first=True, rng=RNG),
        (3, 4),
    ),
    "LearnedPositions": (nn.LearnedPositions(9, 6, RNG), (2, 4, 6)),
    "SinusoidalPositions": (nn.SinusoidalPositions(9, 5), (4, 5)),
    "RotaryPositions": (nn.RotaryPositions(6, 10.0), (3, 500, 6)),
    "Embedding": (nn.Sequential(nn.Embedding(7, 4, rng=RNG), nn.Flatten(), dense(12, 2)), (3,)),
}


def batch(model: nn.Module, sample: tuple[int, ...], n: int) -> np.ndarray:
    if any(isinstance(part, nn.Embedding) for part in model.modules()):
        return RNG.integers(0, 7, (n, *sample))
    return RNG.normal(0, 3, (n, *sample)).astype(np.float32)


def given(model: nn.Module, x: Any) -> np.ndarray:
    """What a network gives, in evaluation; attention looks at x itself."""
    x = x if x.dtype.kind == "i" else nn.Buffer(x)
    y = model(x, x, x)[0] if isinstance(model, nn.MultiheadAttention) else model(x)
    return y.numpy()


def test_every_layer_that_can_be_written_has_a_case() -> None:
    used = {type(part) for model, _ in CASES.values() for part in model.modules()}
    assert used == set(LAYERS)


@pytest.mark.parametrize("case", CASES)
def test_onnxruntime_gives_what_the_layer_gives(case: str) -> None:
    model, sample = CASES[case]
    model.eval()
    for parameter in model.parameters():
        parameter.data[...] += RNG.normal(0, 0.5, parameter.shape)  # biases and norms start at 0 and 1
    for part in model.modules():
        if getattr(part, "running_var", None) is not None:
            part.running_mean.data[...] = RNG.normal(size=part.num_features)
            part.running_var.data[...] = RNG.uniform(0.5, 2, part.num_features)
    batches = [batch(model, sample, n) for n in (1, 2, 33)]
    content = model_of(model, sample, integers=batches[0].dtype.kind == "i")
    for x, (y,) in zip(batches, outputs(content, batches), strict=True):
        expected = given(model, x)
        assert y.shape == expected.shape
        size = max(1, np.abs(expected).max())  # of the terms that a sum may cancel
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5 * size)


def test_the_file_is_a_valid_model_with_the_weights_under_their_names() -> None:
    model = CASES["Sequential"][0]
    made = onnx.load_from_string(model_of(model, (5,), metadata={"recipe": "mine"}))
    onnx.checker.check_model(made, full_check=True)
    assert {each.name: tuple(each.dims) for each in made.graph.initializer} == {
        name: array.shape for name, array in model.state_dict().items()
    }
    assert made.metadata_props[0].key == "recipe"
    assert [entry.version for entry in made.opset_import] == [17]
    assert model_of(model, (5,)) == model_of(model, (5,))


def test_logits_come_with_their_softmax() -> None:
    x = batch(nn.ReLU(), (5,), 9)
    logits, probabilities = outputs(model_of(nn.Tanh(), (5,), classes=True), [x])[0]
    np.testing.assert_allclose(logits, np.tanh(x), rtol=1e-5)
    e = np.exp(np.tanh(x.astype(np.float64)))
    np.testing.assert_allclose(probabilities, e / e.sum(axis=1, keepdims=True), rtol=1e-5)


class Quantized(nn.Module):
    """A dense layer of 8-bit integers as ``QuantizedDense`` describes it, its result worked out in whole numbers."""

    def __init__(self, inputs: int, out: int, bias: bool, zero_point: int) -> None:
        self.weight = Buffer(RNG.integers(-127, 128, (out, inputs)).astype(np.int8))
        self.scale = Buffer(RNG.uniform(0.001, 0.01, out).astype(np.float32))
        self.bias = Buffer(RNG.normal(size=out).astype(np.float32)) if bias else None
        self.input_scale = Buffer(np.float32(1 / 64))
        self.input_zero_point = Buffer(np.int8(zero_point))

    def forward(self, x: Any) -> np.ndarray:
        scale, zero = float(self.input_scale.numpy()), int(self.input_zero_point.numpy())
        q = np.clip(np.round(np.asarray(x, np.float64) / scale) + zero, -128, 127).astype(np.int64)
        total = (q - zero) @ self.weight.numpy().astype(np.int64).T
        y = total * scale * self.scale.numpy().astype(np.float64)
        return y if self.bias is None else y + self.bias.numpy()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("zero_point", [-128, 0, 17])
@pytest.mark.parametrize("sample", [(20,), (3, 20)])
def test_8_bit_layers_are_written_as_pairs_of_quantize_and_dequantize(
    bias: bool, zero_point: int, sample: tuple[int, ...]
) -> None:
    layer = Quantized(20, 6, bias, zero_point)
    content = model_of(layer, sample)
    made = onnx.load_from_string(content)
    assert [node.op_type for node in made.graph.node[:3]] == [
        "QuantizeLinear",
        "DequantizeLinear",
        "DequantizeLinear",
    ]
    kept = {each.name: onnx.numpy_helper.to_array(each).dtype for each in made.graph.initializer}
    assert kept["weight"] == np.uint8
    ties = (
        np.arange(-200, 200, 0.5)[: 20 * 20].reshape(20, 20) / 64
    )  # halves are rounded to even on both sides
    x = np.vstack([ties, RNG.normal(0, 2, (40, 20))]).astype(np.float32)
    x = x if len(sample) == 1 else x.reshape(20, 3, 20)
    ((y,),) = outputs(content, [x])
    np.testing.assert_allclose(y, layer.forward(x), rtol=1e-5, atol=1e-5)


class Double(nn.Module):
    def forward(self, x: Any) -> Any:
        return x + x


class Shifted(nn.Linear):
    """A subclass computes something else than its parent."""

    def forward(self, x: Any) -> Any:
        return super().forward(x) + 1


@pytest.mark.parametrize("layer", [Double(), Shifted(5, 3)])
def test_a_layer_of_ones_own_is_refused_by_name(layer: nn.Module) -> None:
    with pytest.raises(ConfigError, match=r"MG-861 layer '0\.1' \((Double|Shifted).*Linear, .*Flatten"):
        model_of(nn.Sequential(nn.Sequential(nn.ReLU(), layer)), (5,))


STATE, PAIR, LOSS, HOLDER = "takes a state", "compares two inputs", "is a loss", "only holds others"
REFUSED: dict[str, tuple[nn.Module, str]] = {
    "RNNCell": (nn.RNNCell(2, 3), STATE),
    "GRUCell": (nn.GRUCell(2, 3), STATE),
    "LSTMCell": (nn.LSTMCell(2, 3), STATE),
    "CosineSimilarity": (nn.CosineSimilarity(), PAIR),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss(), LOSS),
    **{
        name: (getattr(nn, name)(), LOSS)
        for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Loss) and name != "Loss"
    },
    "ModuleList": (nn.ModuleList([nn.ReLU()]), HOLDER),
    "ModuleDict": (nn.ModuleDict({"a": nn.ReLU()}), HOLDER),
    "ParameterList": (nn.ParameterList(), HOLDER),
    "ParameterDict": (nn.ParameterDict(), HOLDER),
}


def test_every_module_is_written_or_refused_with_its_reason() -> None:
    kinds = {getattr(nn, name) for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    modules = {kind for kind in kinds if issubclass(kind, nn.Module)} - {nn.Module, nn.Loss}
    assert modules - set(LAYERS) == {type(layer) for layer, _ in REFUSED.values()}


@pytest.mark.parametrize("name", REFUSED)
def test_why_a_layer_is_refused(name: str) -> None:
    layer, why = REFUSED[name]
    with pytest.raises(ConfigError, match=rf"MG-861 .*{name}.* cannot be written as ONNX: it {why}"):
        model_of(layer, (5,))


@pytest.mark.parametrize(
    ("layer", "sample", "why"),
    [
        (nn.MultiheadAttention(4, 2, kdim=3, rng=RNG), (3, 4), "its keys are 3 and its values 4 wide"),
        (nn.MultiheadAttention(4, 2, rng=RNG), (2, 3, 4), r"needs x of \(samples, times, width\)"),
        (nn.TransformerEncoderLayer(4, 2, 8, activation=np.tanh, rng=RNG), (3, 4), "its activation, tanh,"),
    ],
)
def test_attention_that_a_file_cannot_hold_is_refused(
    layer: nn.Module, sample: tuple[int, ...], why: str
) -> None:
    with pytest.raises(ConfigError, match=f"MG-861 .*cannot be written as ONNX: .*{why}"):
        model_of(layer, sample)


@pytest.mark.parametrize(
    "wrong", [lambda y: y + 1e-3, lambda y: y[:, :2], lambda y: y * np.nan, lambda y: y[:0]]
)
def test_other_outputs_are_noticed(wrong: Any) -> None:
    x, content = batch(nn.ReLU(), (5,), 9), model_of(nn.ReLU(), (5,))
    with pytest.raises((DataError, ValueError)) as caught:
        compare(content, lambda batch: [wrong(np.maximum(batch, 0))], [x])
    assert caught.value.code == "MG-862"


def test_a_file_that_onnxruntime_refuses_is_an_error() -> None:
    with pytest.raises(DataError, match="MG-862 onnxruntime cannot run"):
        outputs(b"no model", [np.zeros((1, 1))])


def test_what_is_compared_is_relative_to_the_largest_output() -> None:
    x, content = 1000 * np.ones((1, 1), np.float32), model_of(nn.ReLU(), (1,))
    assert compare(content, lambda batch: [batch + 0.005], [x]).largest == pytest.approx(5e-6, rel=0.05)
    with pytest.raises(DataError, match="MG-862"):
        compare(content, lambda batch: [batch + 0.02], [x])


def test_where_a_network_rounds_a_few_samples_may_be_off_by_a_step() -> None:
    x, content = np.ones((10, 1), np.float32), model_of(nn.ReLU(), (1,))

    def off(by: float, samples: int) -> Any:
        return lambda batch: [batch + by * (np.arange(10) < samples)[:, None]]

    found = compare(content, off(0.005, 3), [x], rounds=True)
    assert (found.samples, found.share) == (10, 0.7)
    for wrong, rounds in ((off(0.005, 3), False), (off(0.02, 3), True), (off(0.005, 6), True)):
        with pytest.raises(DataError, match="MG-862"):
            compare(content, wrong, [x], rounds=rounds)


def test_without_onnx_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(
        ConfigError, match=r"MG-805 exporting needs onnx.*pip install 'minigrad-engine\[onnx\]'"
    ):
        model_of(nn.ReLU(), (1,))


def test_values_flow_with_their_number_of_axes() -> None:
    made = graph.Graph()
    out = graph.write(made, "", CASES["Embedding"][0], graph.Value("x", 2))
    assert out.axes == 2
