import numpy as np
import pytest

from minigrad import nn
from minigrad.errors import DataError, MinigradError
from minigrad.files import save_arrays


class Tagger(nn.Module):
    """Embedding, normalisation and dense layers in attributes and in a list."""

    def __init__(self, rng):
        self.words = nn.Embedding(20, 6, rng=rng)
        self.norm = nn.LayerNorm(6)
        self.layers = [nn.Linear(6, 8, rng=rng), nn.Linear(8, 3, rng=rng, bias=False)]

    def forward(self, ids):
        x = self.norm(self.words(ids))
        return self.layers[1](nn.Tanh()(self.layers[0](x)))


def torch_tagger(torch):
    class TorchTagger(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.words = torch.nn.Embedding(20, 6)
            self.norm = torch.nn.LayerNorm(6)
            self.layers = torch.nn.ModuleList([torch.nn.Linear(6, 8), torch.nn.Linear(8, 3, bias=False)])

        def forward(self, ids):
            x = self.norm(self.words(ids))
            return self.layers[1](torch.tanh(self.layers[0](x)))

    return TorchTagger()


def chain(rng):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(12, 7, rng=rng), nn.ReLU(), nn.LayerNorm(7), nn.Linear(7, 4, rng=rng)
    )


def torch_chain(torch):
    from torch.nn import Flatten, LayerNorm, Linear, ReLU, Sequential

    return Sequential(Flatten(), Linear(12, 7), ReLU(), LayerNorm(7), Linear(7, 4))


CASES = {
    "sequential": (chain, torch_chain, lambda rng: rng.normal(size=(5, 3, 4)).astype("float32")),
    "attributes": (Tagger, torch_tagger, lambda rng: rng.integers(0, 20, size=(5, 9))),
}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def assert_equal_outputs(torch, ours, theirs, x):
    with torch.no_grad():
        expected = theirs(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def assert_equal_states(state, other):
    assert list(state) == list(other)
    for name, array in state.items():
        np.testing.assert_array_equal(array, other[name])
        assert array.dtype == other[name].dtype


@pytest.mark.parametrize("case", CASES)
def test_weights_from_pytorch_load_here(torch, case, tmp_path):
    from safetensors.torch import save_file

    ours, theirs, make = CASES[case]
    rng = np.random.default_rng(0)
    reference, model = theirs(torch), ours(rng)
    for parameter in reference.parameters():
        parameter.data.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    save_file(reference.state_dict(), tmp_path / "w.safetensors", metadata={"format": "pt"})
    assert nn.load_weights(model, tmp_path / "w.safetensors") == {"format": "pt"}
    assert_equal_outputs(torch, model, reference, make(rng))


@pytest.mark.parametrize("case", CASES)
def test_weights_from_here_load_in_pytorch(torch, case, tmp_path):
    from safetensors.torch import load_file

    ours, theirs, make = CASES[case]
    rng = np.random.default_rng(0)
    model, reference = ours(rng), theirs(torch)
    nn.save_weights(model, tmp_path / "w.safetensors")
    reference.load_state_dict(load_file(tmp_path / "w.safetensors"))
    assert_equal_outputs(torch, model, reference, make(rng))


def test_a_file_brings_back_every_bit_and_the_metadata(tmp_path):
    model, twin = Tagger(np.random.default_rng(0)), Tagger(np.random.default_rng(1))
    model.layers[0].weight.data[0, :3] = [np.nan, -0.0, 1e-45]
    nn.save_weights(model, tmp_path / "w.safetensors", {"made": "by hand"})
    assert nn.load_weights(twin, tmp_path / "w.safetensors") == {"made": "by hand"}
    assert {n: a.tobytes() for n, a in twin.state_dict().items()} == {
        n: a.tobytes() for n, a in model.state_dict().items()
    }


def test_half_precision_weights_are_cast(tmp_path):
    model = nn.Linear(3, 2)
    arrays = {name: array.astype("float16") for name, array in model.state_dict().items()}
    save_arrays(tmp_path / "w.safetensors", arrays, {})
    nn.load_weights(model, tmp_path / "w.safetensors")
    assert model.weight.dtype == np.float32
    np.testing.assert_array_equal(model.weight.numpy(), arrays["weight"].astype("float32"))


def test_a_file_of_another_architecture_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    nn.save_weights(chain(rng), tmp_path / "w.safetensors")
    model = nn.Sequential(nn.Linear(12, 7), nn.Linear(7, 5))
    before = model.state_dict()
    with pytest.raises(
        DataError, match=r"MG-713 these weights do not fit Sequential(?s:.)*missing: 0\.weight \(7, 12\)"
    ):
        nn.load_weights(model, tmp_path / "w.safetensors")
    assert_equal_states(model.state_dict(), before)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"MG-711 there is no weight file .*nowhere\.safetensors"):
        nn.load_weights(nn.Linear(1, 1), tmp_path / "nowhere.safetensors")


def damaged(content, rng):
    """Return the bytes with one random damage: bits flipped, cut, lengthened, a part overwritten or moved."""
    data = bytearray(content)
    at = int(rng.integers(len(data)))
    match rng.integers(6):
        case 0:
            data[at] ^= 1 << int(rng.integers(8))
        case 1:
            del data[at:]
        case 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 50)))
        case 3:
            data[at : at + 20] = rng.bytes(20)
        case 4:
            data[:8] = int(rng.integers(2**40)).to_bytes(8, "little")
        case 5:
            header = int.from_bytes(data[:8], "little")
            data[8 + int(rng.integers(header))] = int(rng.integers(32, 127))
    return bytes(data)


def test_300_damaged_files_give_a_clear_error_or_the_right_weights(tmp_path):
    rng = np.random.default_rng(2024)
    path = tmp_path / "w.safetensors"
    model = nn.Sequential(nn.Linear(5, 4, rng=rng), nn.LayerNorm(4))
    saved = model.state_dict()
    nn.save_weights(model, path, {"epoch": "3"})
    content = path.read_bytes()
    refused = 0
    for _ in range(300):
        path.write_bytes(damaged(content, rng))
        fresh = nn.Sequential(nn.Linear(5, 4, rng=rng), nn.LayerNorm(4))
        before = fresh.state_dict()
        try:
            nn.load_weights(fresh, path)
        except MinigradError:
            assert_equal_states(fresh.state_dict(), before)
            refused += 1
        else:
            assert_equal_states(fresh.state_dict(), saved)
    assert refused > 250
