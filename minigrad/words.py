"""Words of PyTorch and NumPy for which minigrad has another one: a line each, read by whoever refuses a word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from types import FrameType
from typing import Any

import numpy as np

from minigrad import peers, registry
from minigrad.errors import OperationError

KEYWORDS: dict[str, tuple[str, ...]] = {
    # another library's keyword: the parameters or inputs it may be here, the first that an operation has
    "dim": ("axis", "axes"),
    "dims": ("axis", "axes", "reps"),
    "dim0": ("axis1",),
    "dim1": ("axis2",),
    "keepdim": ("keepdims",),
    "correction": ("ddof",),
    "unbiased": ("ddof",),  # True is 1
    "negative_slope": ("slope",),
    "input": ("a", "x"),
    "other": ("b",),
    "weight": ("w",),
    "bias": ("b",),
    "index": ("indices",),
    "diagonal": ("k", "offset"),
    "shifts": ("shift",),
    "interpolation": ("method",),
    "vec2": ("b",),
    "tensor": ("b",),
    "sections": ("indices_or_sections",),
    "boundaries": ("bins",),
    "size": ("shape",),
}

OPTIONS: dict[str, str] = {
    # an option of NumPy's that no operation has: what to write instead
    "dtype": "Cast the input: t.astype('float64').",
    "out": "A result is a new tensor: write y = ….",
    "where": "Choose entry by entry: np.where(condition, a, b).",
    "inplace": "A result is a new tensor: leave it out.",
    "initial": "Join it to the result: np.maximum(result, start), result + start.",
    "axis": "Move the axis first: np.moveaxis(t, axis, -1).",
}

INSTEAD: dict[str, str] = {
    # a function without a rule: the same made of operations that have one, of tensors t and u and a number n
    "add.at": "t + mg.ops.scatter(u, index=index, shape=t.shape)",
}

SPECIAL: dict[str, str] = {
    # a function of scipy.special that is written in Python, and so takes bare arrays alone: what to write
    "comb": "scipy.special.binom(n, t)",
    "factorial": "scipy.special.gamma(t + 1)",
    "ivp": "(scipy.special.iv(v - 1, t) + scipy.special.iv(v + 1, t)) / 2",
    "jvp": "(scipy.special.jv(v - 1, t) - scipy.special.jv(v + 1, t)) / 2",
    "kvp": "-(scipy.special.kv(v - 1, t) + scipy.special.kv(v + 1, t)) / 2",
    "log_softmax": "mg.ops.log_softmax(t, axis=None)",
    "logsumexp": "mg.ops.logsumexp(t, axis=None)",
    "multigammaln": "sum(scipy.special.gammaln(t - k / 2) for k in range(d)) + d * (d - 1) / 4 * np.log(np.pi)",
    "perm": "scipy.special.poch(n - t + 1, t)",
    "polygamma": "mg.ops.polygamma(n, t)",
    "softmax": "mg.ops.softmax(t, axis=None)",
    "yvp": "(scipy.special.yv(v - 1, t) - scipy.special.yv(v + 1, t)) / 2",
}

METHODS_OF_UFUNCS: dict[str, str] = {
    # a method of ufuncs that writes in place, or makes pieces of different lengths: the same in operations
    "at": "t + mg.ops.scatter(u, index=index, shape=t.shape) where it adds, np.where(mask, np.{0}(t, u), t) elsewhere",
    "reduceat": "np.stack([np.{0}.reduce(t[start:stop]) for start, stop in zip(starts, stops)])",
}

METHODS: dict[str, str] = {
    # a method of PyTorch's or NumPy's tensors that Tensors do not have: what to write
    "H": "t.T",
    "apply_": "NumPy's functions, on all entries at once",
    "bernoulli": "np.random.default_rng(0).random(t.shape) < t.numpy()",
    "bfloat16": "t.astype('float32'): there is no bfloat16 here",
    "data_ptr": "t.data.ctypes.data",
    "detach_": "t = t.detach()",
    "grad_fn": "t.record, or mg.tape(t) for all that led to t",
    "histc": "np.histogram(t.numpy()): counts have no gradient",
    "is_cuda": "t.device != 'cpu'",
    "itemsize": "t.dtype.itemsize",
    "mT": "np.swapaxes(t, -1, -2)",
    "map_": "NumPy's functions, on all entries at once",
    "multinomial": "np.random.default_rng(0).choice(len(t), p=t.numpy() / np.sum(t.numpy(), dtype='float64'))",
    "nbytes": "t.data.nbytes",
    "normal_": "with mg.no_grad(): t[...] = np.random.default_rng(0).normal(size=t.shape)",
    "put_": "t = np.where(mask, value, t)",
    "random_": "with mg.no_grad(): t[...] = np.random.default_rng(0).integers(0, 10, size=t.shape)",
    "register_hook": "with mg.hooks(backward=function): loss.backward()",
    "resize_": "t = t.reshape(2, 3)",
    "scatter": "np.where(mask, value, t), or mg.ops.put_along_axis",
    "scatter_": "np.where(mask, value, t), or mg.ops.put_along_axis",
    "scatter_add_": "t + mg.ops.scatter(values, index=index, shape=t.shape)",
    "squeeze_": "t = t.squeeze()",
    "storage": "t.data",
    "stride": "t.data.strides",
    "strides": "t.data.strides",
    "t_": "t = t.T",
    "transpose_": "t = t.transpose(0, 1)",
    "uniform_": "with mg.no_grad(): t[...] = np.random.default_rng(0).uniform(size=t.shape)",
    "unsqueeze_": "t = t.unsqueeze(0)",
}

MODULE: dict[str, str] = {
    # a name of the module torch: what to write
    "Adam": "mg.optim.Adam(model)",
    "F": "import minigrad.nn.functional as F",
    "FloatTensor": "mg.tensor([1.0, 2.0])",
    "LongTensor": "mg.tensor([1, 2])",
    "Module": "mg.nn.Module",
    "SGD": "mg.optim.SGD(model, lr=0.1)",
    "autograd": "mg.grad, mg.gradients, mg.gradcheck, mg.define",
    "bool": "dtype='bool'",
    "cuda": "t.to('cuda'), model.to('cuda')",
    "device": "a device is its name: t.to('cuda'), mg.Tensor(data, device='cpu')",
    "double": "dtype='float64'",
    "dtype": "a dtype is NumPy's: np.float32 or 'float32'",
    "empty": "mg.zeros(shape)",
    "einsum": "np.einsum('ij,jk->ik', a, b)",
    "float": "dtype='float32'",
    "float16": "dtype='float16'",
    "float32": "dtype='float32'",
    "float64": "dtype='float64'",
    "inference_mode": "with mg.no_grad():",
    "int": "dtype='int32'",
    "int64": "dtype='int64'",
    "is_tensor": "isinstance(t, mg.Tensor)",
    "load": "mg.nn.load_weights(model, 'weights.safetensors')",
    "long": "dtype='int64'",
    "manual_seed": "nn.Linear(3, 1, rng=np.random.default_rng(0)): a generator is passed to whatever draws",
    "rand": "mg.Tensor(np.random.default_rng(0).random((2, 3)), dtype='float32')",
    "rand_like": "mg.Tensor(np.random.default_rng(0).random(t.shape), dtype=t.dtype)",
    "randint": "mg.Tensor(np.random.default_rng(0).integers(0, 10, size=(2, 3)))",
    "randn": "mg.Tensor(np.random.default_rng(0).normal(size=(2, 3)), dtype='float32', requires_grad=True)",
    "randn_like": "mg.Tensor(np.random.default_rng(0).normal(size=t.shape), dtype=t.dtype)",
    "randperm": "np.random.default_rng(0).permutation(10)",
    "save": "mg.nn.save_weights(model, 'weights.safetensors')",
    "seed": "nn.Linear(3, 1, rng=np.random.default_rng(0)): a generator is passed to whatever draws",
    "set_grad_enabled": "with mg.no_grad():, with mg.enable_grad():",
    "utils": "from minigrad.data import DataLoader",
}

NN: dict[str, str] = {
    # a name of torch.nn and torch.nn.functional: what to write
    "binary_cross_entropy_with_logits": "nn.bce_with_logits(logits, targets)",
    "gelu": "mg.ops.gelu(x)",
    "l1_loss": "nn.mae(prediction, target)",
    "leaky_relu": "mg.ops.leaky_relu(x)",
    "linear": "mg.ops.linear(x, weight, bias)",
    "log_softmax": "mg.ops.log_softmax(x, axis=1)",
    "mse_loss": "nn.mse(prediction, target)",
    "relu": "mg.ops.relu(x)",
    "sigmoid": "mg.ops.sigmoid(x)",
    "softmax": "mg.ops.softmax(x, axis=1)",
    "tanh": "np.tanh(x)",
    "utils": "optim.clip_grad_norm(model, 1.0)",
}

MODEL: dict[str, str] = {
    # a method of torch.nn.Module: what to write
    "add_module": "self.fc = nn.Linear(2, 1)",
    "apply": "for module in model.modules(): …",
    "bfloat16": "model.to('float32'): there is no bfloat16 here",
    "buffers": "[t for t in vars(module).values() if isinstance(t, nn.Buffer)]",
    "children": "model.modules()[1:]",
    "cpu": "model.to('cpu')",
    "cuda": "model.to('cuda')",
    "double": "model.to('float64')",
    "float": "model.to('float32')",
    "get_parameter": "model.named_parameters()['fc.weight']",
    "half": "model.to('float16')",
    "named_children": "model.named_modules()",
    "register_buffer": "self.mean = nn.Buffer(np.zeros(3))",
    "register_forward_hook": "with mg.hooks(forward=function): model(x)",
    "register_module": "self.fc = nn.Linear(2, 1)",
    "register_parameter": "self.gain = nn.Parameter(np.ones(3))",
    "requires_grad_": "for p in model.parameters(): p.requires_grad_(False)",
}

OPTIM: dict[str, str] = {
    # a name of torch.optim and torch.optim.lr_scheduler: what to write
    "Adagrad": "optim.AdaGrad(model)",
    "AveragedModel": "optim.EMA(model, decay=None): the mean of the weights, and with a decay a moving one",
    "CosineAnnealingLR": "optim.SGD(model, lr=optim.Cosine(0.1, 100)): a schedule is the rate",
    "CosineAnnealingWarmRestarts": "optim.SGD(model, lr=optim.CosineRestarts(0.1, 100)): a schedule is the rate",
    "ExponentialLR": "optim.SGD(model, lr=optim.Exponential(0.1, 0.99, 1)): a schedule is the rate",
    "LambdaLR": "optim.SGD(model, lr=function_of_t): a function of the step is a rate",
    "LinearLR": "optim.SGD(model, lr=optim.Linear(0.1, 100)): a schedule is the rate",
    "MultiStepLR": "optim.SGD(model, lr=optim.MultiStep(0.1, (30, 60))): a schedule is the rate",
    "OneCycleLR": "optim.SGD(model, lr=optim.OneCycle(0.1, 900)): a schedule is the rate",
    "PolynomialLR": "optim.SGD(model, lr=optim.Polynomial(0.1, 100)): a schedule is the rate",
    "StepLR": "optim.SGD(model, lr=optim.StepDecay(0.1, 10, 0.5)): a schedule is the rate",
    "clip_grad_norm_": "optim.clip_grad_norm(model, 1.0)",
    "lr_scheduler": "optim.SGD(model, lr=optim.Cosine(0.1, 100)): a schedule is the rate",
}


def instead_of_method(word: str) -> str:
    """Say what to write instead of a method that Tensors do not have; nothing where the word is not known."""
    text = METHODS.get(word) or peers.METHODS.get(word) or INSTEAD.get(word)
    return f": write {text}" if text else ""


def no_name(module: str, word: str, known: Iterable[str]) -> AttributeError:
    """Say that a module has no such name, and what to write: ``minigrad``, ``minigrad.nn`` or ``minigrad.optim``."""
    own, peers_own = {
        "minigrad": (MODULE, peers.MODULE),
        "minigrad.nn": (NN, peers.NN),
        "minigrad.optim": (OPTIM, peers.OPTIM),
    }[module]
    text = own.get(word) or peers_own.get(word)
    if text is None and word in registry.operations:
        text = f"np.{word}(…)" if hasattr(np, word) else f"mg.ops.{word}(…)"
    elif text is None and word in registry.methods:
        text = f"t.{word}(…)"
    hint = f": write {text}" if text else f".{near(word, known)}"
    return AttributeError(f"module {module!r} has no attribute {word!r}{hint}", name=word)


class Missing:
    """A method that a class does not have, and what to write instead."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def __get__(self, instance: object, owner: type) -> Any:
        raise AttributeError(
            f"{owner.__name__} has no attribute {self.name!r}: write {self.text}",
            name=self.name,
            obj=instance,
        )


def near(word: str, known: Iterable[str]) -> str:
    """Say which of the known words may have been meant; nothing where none is near."""
    found = get_close_matches(word, [name for name in known if not name.startswith("_")], n=2)
    return f" Did you mean {' or '.join(repr(name) for name in found)}?" if found else ""


def translated(name: str, known: list[str], params: dict[str, Any]) -> dict[str, Any]:
    """Return an operation's ``params`` in the words that it knows; OperationError MG-606 where it has none."""
    own: dict[str, Any] = {}
    for word, value in params.items():
        ours = word if word in known else next((w for w in KEYWORDS.get(word, ()) if w in known), None)
        if ours is None:
            has = f"it has {', '.join(known)}" if known else "it has none"
            hint = f" {OPTIONS[word]}" if word in OPTIONS else near(word, known)
            raise OperationError("MG-606", f"{name} has no parameter {word!r}: {has}.{hint}")
        if ours in own or (ours != word and ours in params):
            raise OperationError("MG-606", f"{name} got {ours!r} twice: {word!r} is another word for it.")
        own[ours] = value
    return own


def in_scipy_special(frame: FrameType | None) -> str:
    """Say what to write where a function of scipy.special asks for bare numbers; nothing where none of them asks."""
    found = ""
    while frame is not None and (not found or frame.f_globals.get("__name__", "").startswith("scipy.")):
        if frame.f_globals.get("__name__", "").startswith("scipy.special"):
            found = frame.f_code.co_name
        frame = frame.f_back
    if not found:
        return ""
    instead = f": write {SPECIAL[found]}" if found in SPECIAL else ", and minigrad has no other word for it"
    return f"scipy.special.{found} is no ufunc and takes bare arrays alone{instead}."


def no_rule(name: str, options: Iterable[str] = ()) -> OperationError:
    """Say that a NumPy function has no gradient rule (MG-602), and what to write."""
    asked = "".join(f", {option}=…" for option in options)
    hints = [OPTIONS[option] for option in options if option in OPTIONS]
    ufunc, _, method = name.partition(".")
    from minigrad import unsupported  # read only when something is refused

    why = unsupported.reason(name)
    if hints:
        hint = " ".join(hints)
    elif why is not None:
        hint = f"Why: {why}."
    else:
        text = INSTEAD.get(name) or METHODS_OF_UFUNCS.get(method, "").format(ufunc)
        hint = f"Write {text}." if text else "Compose it from operations that have one."
        hint += " mg.define makes an operation of your own."
    return OperationError(
        "MG-602",
        f"np.{name}(tensor{asked}) has no gradient rule in minigrad. {hint} "
        "Where no gradient is needed, work on t.numpy().",
    )
