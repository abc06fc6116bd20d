import copy
import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DataError, DeviceError, DtypeError, MinigradWarning, ShapeError
from tests import cuda, strict_array


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.fc1 = nn.Linear(784, 128, rng=rng)
        self.blocks = [nn.Linear(128, 64, rng=rng), nn.ReLU(), nn.Linear(64, 10, rng=rng)]

    def forward(self, x):
        x = self.fc1(x)
        for block in self.blocks:
            x = block(x)
        return x


class Zoo(nn.Module):
    """Parameters and modules in every place where they can be."""

    def __init__(self):
        self.scale = nn.Parameter([1.0, 2.0])
        self.heads = {"left": nn.Linear(2, 3), "right": nn.Linear(2, 3)}
        self.pair = (nn.Parameter([0.0]), [nn.Linear(2, 2, bias=False)])
        self.note = "not a tensor"
        self.mean = nn.Buffer(np.array([3, 4]))


ZOO = [
    "scale",
    "heads.left.weight", "heads.left.bias", "heads.right.weight", "heads.right.bias",
    "pair.0", "pair.1.0.weight",
]  # fmt: skip


def message(error):
    return str(error.value)


def test_parameters_come_in_the_order_of_definition_from_every_container():
    zoo = Zoo()
    assert list(zoo.named_parameters().keys()) == ZOO
    assert [p.name for p in zoo.parameters()] == ZOO
    assert zoo.parameters()[0] is zoo.scale
    assert zoo.count_parameters() == 2 + 2 * (6 + 3) + 1 + 4
    assert list(zoo.state_dict()) == [*ZOO, "mean"]


def test_the_order_does_not_depend_on_the_hash_seed():
    script = (
        "from minigrad import nn; m = nn.Module(); "
        "m.parts = {name: nn.Linear(1, 1) for name in ('pear', 'fig', 'apple', 'plum')}; "
        "print(list(m.state_dict()))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("0", "1", "12345")
    }
    names = [
        f"parts.{fruit}.{part}" for fruit in ("pear", "fig", "apple", "plum") for part in ("weight", "bias")
    ]
    assert printed == {str(names)}


def test_a_shared_parameter_is_listed_once_and_loads_under_each_of_its_names():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    net[2].weight = net[0].weight
    assert list(net.named_parameters().keys()) == ["0.weight", "0.bias", "2.bias"]
    weight, bias = np.full((3, 3), 2.0), np.zeros(3)
    net.load_state_dict({"0.bias": bias, "2.bias": bias, "2.weight": weight})
    np.testing.assert_array_equal(net[0].weight.numpy(), weight)
    net.load_state_dict({"0.weight": weight, "0.bias": bias, "2.bias": bias, "2.weight": weight})


def test_a_shared_module_and_a_child_that_knows_its_parent():
    class Child(nn.Module):
        def __init__(self, parent):
            self.parent = parent
            self.fc = nn.Linear(2, 2)

    class Parent(nn.Module):
        def __init__(self):
            self.child = Child(self)
            self.again = self.child

    parent = Parent()
    assert list(parent.named_parameters().keys()) == ["child.fc.weight", "child.fc.bias"]
    assert list(parent.named_modules().keys()) == ["", "child", "child.fc"]
    assert parent.modules() == [parent, parent.child, parent.child.fc]
    assert repr(parent).splitlines()[0] == "Parent, 6 parameters"


def test_two_things_of_one_name_are_refused():
    net = nn.Module()
    net.parts = {0: nn.Linear(1, 1), "0": nn.Linear(1, 1)}
    with pytest.raises(ConfigError, match=r"MG-802 .*'parts\.0'"):
        net.named_modules()


def test_super_init_may_be_left_out():
    class Careless(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(2, 1)

        def forward(self, x):
            return self.fc(x)

    net = Careless()
    assert net.training
    assert not net.eval().fc.training
    assert net(np.zeros((5, 2), "float32")).shape == (5, 1)


def test_a_module_without_forward_says_so_and_finds_a_misspelling():
    class Wrong(nn.Module):
        def foward(self, x):
            return x

    with pytest.raises(
        ConfigError, match=r"MG-510 Wrong .*Is foward a misspelling\?.*def forward\(self, x\)"
    ):
        Wrong()(1.0)
    with pytest.raises(ConfigError, match=r"MG-510 Module does not say what it computes\. Write"):
        nn.Module()(1.0)


def test_a_tensor_that_is_no_parameter_is_warned_of():
    net = nn.Module()
    net.w = mg.Tensor([1.0], requires_grad=True)
    with pytest.warns(MinigradWarning, match=r"MG-509 Module\.w .*self\.w = nn\.Parameter"):
        assert net.parameters() == []


def test_train_and_eval_reach_every_module():
    net = Net()
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert all(module.training for module in net.modules())


def test_zero_grad_forgets_every_gradient():
    net = Net()
    net(np.ones((2, 784), "float32")).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_a_parameter_copies_its_data():
    data = np.zeros(3)
    parameter = nn.Parameter(data)
    data[0] = 7.0
    assert parameter.numpy()[0] == 0.0
    assert parameter.requires_grad
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter([1.0, 2.0]).dtype == np.float32
    with pytest.raises(DtypeError, match="MG-210"):
        nn.Parameter(np.array([1, 2]))


def test_a_deep_copy_is_independent_and_keeps_sharing():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    twin = copy.deepcopy(net)
    assert twin[1].weight is twin[0].weight
    assert isinstance(twin[0].weight, nn.Parameter)
    twin[0].weight.data[...] = 9.0
    assert not (net[0].weight.numpy() == 9.0).any()


def test_repr_is_a_tree_with_counts():
    assert repr(Net()).splitlines() == [
        "Net, 109,386 parameters",
        "  fc1: Linear 784->128, 100,480 parameters",
        "  blocks.0: Linear 128->64, 8,256 parameters",
        "  blocks.1: ReLU",
        "  blocks.2: Linear 64->10, 650 parameters",
    ]
    nested = nn.Sequential(nn.Sequential(nn.Linear(1, 1, bias=False)), nn.Dropout(0.2), nn.LeakyReLU())
    assert repr(nested).splitlines() == [
        "Sequential, 1 parameter",
        "  0: Sequential, 1 parameter",
        "    0: Linear 1->1 without bias, 1 parameter",
        "  1: Dropout p=0.2",
        "  2: LeakyReLU slope=0.01",
    ]


# -- errors name the layer ------------------------------------------------------------------------------------


def test_a_wrong_width_names_the_layer_and_the_fix():
    with pytest.raises(ShapeError) as error:
        Net()(np.zeros((64, 28, 28), "float32"))
    assert message(error) == (
        "MG-101 in layer 'fc1' (Linear 784->128): input x is (64, 28, 28), its last axis is 28 but 784 is expected. "
        "28*28 = 784: did you mean x.reshape(64, 784)?"
    )
    assert error.value.message == message(error).removeprefix("MG-101 ")


def test_an_error_deep_inside_carries_the_whole_name():
    net = nn.Sequential(nn.Flatten(), Net())
    net[1].blocks[2] = nn.Linear(32, 10)
    with pytest.raises(
        ShapeError, match=r"MG-101 in layer '1\.blocks\.2' \(Linear 32->10\): input x is \(4, 64\)"
    ):
        net(np.zeros((4, 28, 28), "float32"))


def test_a_layer_by_itself_is_named_by_its_class():
    with pytest.raises(
        ShapeError, match=r"MG-101 in layer Linear 784->128: .*28\*28 = 784: is this one sample\?"
    ):
        nn.Linear(784, 128)(np.zeros((28, 28), "float32"))
    with pytest.raises(ShapeError, match=r"MG-101 in layer Linear 3->2: .*x\.T is \(5, 3\)"):
        nn.Linear(3, 2)(np.zeros((3, 5), "float32"))


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint8"])
def test_another_dtype_names_the_layer_and_the_cast(dtype):
    with pytest.raises(DtypeError, match=rf"MG-211 in layer 'fc1' .*{dtype}.*x\.astype\('float32'\)"):
        Net()(np.zeros((2, 784), dtype))


def test_a_mix_of_devices_names_the_layer():
    net = Net().to("strict")
    assert net.device == "strict"
    x = np.zeros((2, 784), "float32")
    for given in (x, mg.Tensor(x)):
        with pytest.raises(DeviceError) as error:
            net(given)
        assert "MG-301 in layer 'fc1' (Linear 784->128)" in message(error)
        assert "): x is on cpu, " in message(error)
        assert "is on strict" in message(error)
    assert net(mg.Tensor(x).to(net.device)).device == "strict"


@pytest.mark.parametrize("device", cuda.DEVICES)
def test_every_layer_and_loss_stays_on_its_device(device: str):
    net = nn.Sequential(
        nn.Flatten(),
        nn.LayerNorm(4),
        nn.Linear(4, 4),
        nn.GELU(),
        nn.Dropout(0.5, rng=np.random.default_rng(0)),
    ).to(device)
    x = mg.Tensor(np.ones((3, 2, 2), "float32")).to(device)
    targets = mg.Tensor(np.ones((3, 4), "float32")).to(device)
    labels = mg.Tensor(np.array([0, 1, 3])).to(device)
    strict_array.copies.clear()
    for loss in (nn.MSELoss(), nn.HalfMSELoss(), nn.L1Loss(), nn.BCEWithLogitsLoss()):
        loss(net(x), targets).backward()
    nn.cross_entropy(net(x), labels).backward()
    if device == "strict":
        assert strict_array.copies == {"host to device": 5}  # the random numbers of Dropout, pass by pass
    assert {p.grad.device for p in net.parameters()} == {device}
    with pytest.raises(
        DeviceError, match=rf"MG-301 in layer Embedding 3x2: ids is on cpu, weight on {device}"
    ):
        nn.Embedding(3, 2).to(device)(np.array([1, 2]))


@pytest.mark.parametrize("device", cuda.DEVICES)
def test_weights_go_to_a_device_and_come_back_through_a_state_dict(device: str):
    net, twin = Net(), Net().to(device)
    before = net.state_dict()
    twin.load_state_dict({name: 2 * array for name, array in before.items()})
    assert twin.device == device
    for name, array in twin.state_dict().items():
        np.testing.assert_array_equal(array, 2 * before[name])
    assert twin.to("cpu").device == "cpu"


# -- to -------------------------------------------------------------------------------------------------------


def test_to_a_dtype_takes_the_gradients_along():
    net = nn.Linear(3, 2)
    net(np.ones((4, 3), "float32")).sum().backward()
    net.steps = nn.Buffer(np.array(5))
    assert net.to("float64") is net
    assert {p.dtype for p in net.parameters()} == {np.dtype("float64")}
    assert net.weight.grad.dtype == np.float64
    np.testing.assert_array_equal(net.weight.grad.numpy(), np.full((2, 3), 4.0))
    assert net.steps.dtype == np.int64


def test_to_a_wrong_target_changes_nothing():
    net = nn.Linear(3, 2)
    with pytest.raises(DtypeError, match=r"MG-210 weight .*int32"):
        net.to("int32")
    with pytest.raises(DeviceError, match="MG-302"):
        net.to("abacus")
    assert net.weight.dtype == np.float32


# -- state_dict -----------------------------------------------------------------------------------------------


def test_a_state_dict_is_a_copy():
    net = nn.Linear(2, 2)
    state = net.state_dict()
    state["weight"][...] = 5.0
    assert not (net.weight.numpy() == 5.0).any()


def test_loading_writes_into_the_same_memory_in_the_parameters_dtype():
    net = nn.Linear(2, 1)
    memory, version = net.weight.data, net.weight.version.number
    net.load_state_dict({"weight": [[1.5, 2.5]], "bias": mg.Tensor(np.array([3.0]))})
    assert net.weight.data is memory
    assert net.weight.version.number > version
    assert net.weight.dtype == net.bias.dtype == np.float32
    np.testing.assert_array_equal(memory, [[1.5, 2.5]])
    np.testing.assert_array_equal(net.bias.numpy(), [3.0])


def test_a_state_that_does_not_fit_is_refused_whole_with_every_name():
    net = Net()
    before = net.state_dict()
    state = net.state_dict()
    state["fc1.weight"] = np.zeros((784, 128))
    state["fc1.bias"] = np.zeros(128, "complex64")
    state["extra"] = state.pop("blocks.0.weight")
    state["more"] = state.pop("blocks.2.bias")
    state["blocks.0.bias"] += 1
    with pytest.raises(DataError) as error:
        net.load_state_dict(state)
    for line in (
        "MG-713 these weights do not fit Net, and none were loaded:",
        "missing: blocks.0.weight (64, 128)",
        "missing: blocks.2.bias (10,)",
        "unexpected: extra (64, 128)",
        "unexpected: more (10,)",
        "wrong shape: fc1.weight is (128, 784) here and (784, 128) in what was given",
        "wrong dtype: fc1.bias: a tensor holds booleans, integers and float16, float32 or float64; complex64 was given",
    ):
        assert line in message(error)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_not_strict_takes_what_fits_but_no_wrong_shape():
    net = nn.Linear(2, 1)
    bias = net.bias.item()
    net.load_state_dict({"weight": [[1.0, 2.0]], "elsewhere": [1.0]}, strict=False)
    np.testing.assert_array_equal(net.weight.numpy(), [[1.0, 2.0]])
    assert net.bias.item() == bias
    with pytest.raises(DataError, match="MG-713"):
        net.load_state_dict({"weight": [[1.0, 2.0, 3.0]]}, strict=False)
