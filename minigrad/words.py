"""Words of PyTorch and NumPy for which minigrad has another one: a line each, read by whoever refuses a word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.errors import OperationError

KEYWORDS: dict[str, tuple[str, ...]] = {
    # another library's keyword: the parameters or inputs it may be here, the first that an operation has
    "dim": ("axis", "axes"),
    "dims": ("axis", "axes"),
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
    "add.accumulate": "np.cumsum(t)",
    "add.at": "t + mg.ops.scatter(u, index=index, shape=t.shape)",
    "add.outer": "t[:, None] + u",
    "add.reduce": "np.sum(t, axis=0)",
    "append": "np.concatenate([t, u])",
    "array_split": "np.split(t, [n])",
    "atleast_1d": "t.reshape(-1)",
    "atleast_2d": "t[None, :]",
    "average": "np.sum(t * u) / np.sum(u)",
    "column_stack": "np.stack([t, u], axis=1)",
    "copy": "+t",
    "count_nonzero": "np.sum(t != 0)",
    "cosh": "(np.exp(t) + np.exp(-t)) / 2",
    "cumprod": "np.exp(np.cumsum(np.log(t)))",
    "deg2rad": "t * (np.pi / 180)",
    "degrees": "t * (180 / np.pi)",
    "delete": "t[np.arange(len(t)) != n]",
    "diag": "t[:, None] * np.eye(len(t))",
    "diagonal": "np.einsum('ii->i', t)",
    "diff": "t[1:] - t[:-1]",
    "divide.outer": "t[:, None] / u",
    "dstack": "np.stack([t, u], axis=-1)",
    "exp2": "np.exp(t * np.log(2))",
    "fabs": "np.abs(t)",
    "fliplr": "np.flip(t, 1)",
    "flipud": "np.flip(t, 0)",
    "float_power": "t ** u",
    "fmax": "np.maximum(t, u)",
    "fmin": "np.minimum(t, u)",
    "fmod": "t - u * np.trunc(t / u)",
    "full_like": "np.ones_like(t) * n",
    "hstack": "np.concatenate([t, u])",
    "hypot": "np.sqrt(t * t + u * u)",
    "log10": "np.log(t) / np.log(10)",
    "log2": "np.log(t) / np.log(2)",
    "logaddexp": "mg.ops.softplus(u - t) + t",
    "maximum.reduce": "np.max(t, axis=0)",
    "median": "np.mean(t[np.argsort(t.numpy())[(len(t) - 1) // 2:len(t) // 2 + 1]])",
    "minimum.reduce": "np.min(t, axis=0)",
    "mod": "t - u * np.floor(t / u)",
    "multiply.accumulate": "np.exp(np.cumsum(np.log(t)))",
    "multiply.outer": "t[:, None] * u",
    "multiply.reduce": "np.prod(t, axis=0)",
    "nan_to_num": "np.where(np.isnan(t), 0, t)",
    "nanmax": "np.max(t[~np.isnan(t)])",
    "nanmean": "np.mean(t[~np.isnan(t)])",
    "nanmin": "np.min(t[~np.isnan(t)])",
    "nansum": "np.sum(np.where(np.isnan(t), 0, t))",
    "ptp": "np.max(t) - np.min(t)",
    "rad2deg": "t * (180 / np.pi)",
    "radians": "t * (np.pi / 180)",
    "reciprocal": "1 / t",
    "remainder": "t - u * np.floor(t / u)",
    "repeat": "t[np.repeat(np.arange(len(t)), n)]",
    "roll": "np.concatenate([t[-n:], t[:-n]])",
    "rot90": "np.flip(t.T, 0)",
    "rollaxis": "np.moveaxis(t, -1, 0)",
    "round": "np.rint(t)",
    "sinc": "np.sin(np.pi * t) / (np.pi * t)",
    "sinh": "(np.exp(t) - np.exp(-t)) / 2",
    "sort": "t[np.argsort(t.numpy())]",
    "subtract.outer": "t[:, None] - u",
    "take": "t[[n, 0]]",
    "tan": "np.sin(t) / np.cos(t)",
    "tile": "np.concatenate([t] * n)",
    "trapezoid": "np.sum((t[1:] + t[:-1]) / 2)",
    "tril": "t * np.tri(len(t))",
    "triu": "t * np.tri(len(t)).T",
    "vstack": "np.stack([t, u])",
}

RULES: dict[str, str] = {
    # a function that no composition gives: its rule
    "arccos": "-g / np.sqrt(1 - a * a)",
    "arccosh": "g / np.sqrt(a * a - 1)",
    "arcsin": "g / np.sqrt(1 - a * a)",
    "arcsinh": "g / np.sqrt(a * a + 1)",
    "arctan": "g / (1 + a * a)",
    "arctanh": "g / (1 - a * a)",
    "cbrt": "g / (3 * y * y)",
}

METHODS: dict[str, str] = {
    # a method of PyTorch's or NumPy's tensors that Tensors do not have: what to write
    "H": "t.T",
    "addmm": "t + a @ b",
    "aminmax": "t.min(), t.max()",
    "apply_": "NumPy's functions, on all entries at once",
    "bernoulli": "np.random.default_rng(0).random(t.shape) < t.numpy()",
    "bfloat16": "t.astype('float32'): there is no bfloat16 here",
    "bincount": "np.bincount(t.numpy()): counts have no gradient",
    "data_ptr": "t.data.ctypes.data",
    "detach_": "t = t.detach()",
    "det": "np.linalg.det(t)",
    "erf": "2 * mg.ops.normal_cdf(t * np.sqrt(2)) - 1",
    "erfc": "2 - 2 * mg.ops.normal_cdf(t * np.sqrt(2))",
    "frac": "t - np.trunc(t)",
    "ger": "np.outer(t, u)",
    "grad_fn": "t.record, or mg.tape(t) for all that led to t",
    "histc": "np.histogram(t.numpy()): counts have no gradient",
    "index_add": "t + mg.ops.scatter(values, index=index, shape=t.shape)",
    "index_fill": "np.where(mask, value, t)",
    "inner": "np.inner(t, u)",
    "inverse": "np.linalg.inv(t)",
    "is_contiguous": "t.data.flags.c_contiguous",
    "is_cuda": "t.device != 'cpu'",
    "is_nonzero": "bool(t)",
    "isclose": "np.isclose(t.numpy(), u.numpy())",
    "itemsize": "t.dtype.itemsize",
    "kthvalue": "t[np.argsort(t.numpy())[k - 1]]",
    "lerp": "t + weight * (end - t)",
    "logcumsumexp": "np.log(np.cumsum(np.exp(t)))",
    "logit": "np.log(t / (1 - t))",
    "mT": "np.swapaxes(t, -1, -2)",
    "map_": "NumPy's functions, on all entries at once",
    "multinomial": "np.random.default_rng(0).choice(len(t), p=t.numpy())",
    "nbytes": "t.data.nbytes",
    "new_full": "mg.full((2, 3), value, dtype=t.dtype)",
    "new_tensor": "mg.tensor(data, dtype=t.dtype)",
    "nonzero": "np.nonzero(t.numpy()): indices have no gradient",
    "normal_": "with mg.no_grad(): t[...] = np.random.default_rng(0).normal(size=t.shape)",
    "outer": "np.outer(t, u)",
    "put_": "t = np.where(mask, value, t)",
    "quantile": "np.quantile(t.numpy(), q), where no gradient is needed",
    "random_": "with mg.no_grad(): t[...] = np.random.default_rng(0).integers(0, 10, size=t.shape)",
    "register_hook": "with mg.hooks(backward=function): loss.backward()",
    "repeat": "np.concatenate([t] * n); NumPy's repeat and PyTorch's are two different things",
    "repeat_interleave": "t[np.repeat(np.arange(len(t)), n)]",
    "resize_": "t = t.reshape(2, 3)",
    "scatter": "np.where(mask, value, t), or mg.ops.put_along_axis",
    "scatter_add": "t + mg.ops.scatter(values, index=index, shape=t.shape)",
    "scatter_": "np.where(mask, value, t), or mg.ops.put_along_axis",
    "scatter_add_": "t + mg.ops.scatter(values, index=index, shape=t.shape)",
    "sgn": "np.sign(t)",
    "sort": "np.take_along_axis(t, np.argsort(t.numpy(), axis=-1), axis=-1)",
    "squeeze_": "t = t.squeeze()",
    "storage": "t.data",
    "stride": "t.data.strides",
    "strides": "t.data.strides",
    "svd": "np.linalg.svd(t)",
    "t_": "t = t.T",
    "take_along_dim": "np.take_along_axis(t, indices, axis)",
    "tensor_split": "np.split(t, [2, 4])",
    "topk": "np.take_along_axis(t, np.argsort(-t.numpy(), axis=-1)[..., :k], axis=-1)",
    "trace": "np.trace(t)",
    "transpose_": "t = t.transpose(0, 1)",
    "unflatten": "t.reshape(2, 3)",
    "unfold": "np.lib.stride_tricks.sliding_window_view(t.numpy(), n), where no gradient is needed",
    "uniform_": "with mg.no_grad(): t[...] = np.random.default_rng(0).uniform(size=t.shape)",
    "unsqueeze_": "t = t.unsqueeze(0)",
    "unique": "np.unique(t.numpy()), where no gradient is needed",
    "vdot": "np.vdot(t, u)",
}

# fmt: off
SAME: dict[str, str] = {
    # a method that no Tensor has: the function above that it is
    **{"acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan"},
    **{"atanh": "arctanh"},
    **{name: name for name in (
        *RULES, "cosh", "count_nonzero", "cumprod", "deg2rad", "diag", "diagonal", "diff", "exp2", "fliplr", "flipud",
        "float_power", "fmax", "fmin", "fmod", "hypot",
        "log10", "log2", "logaddexp", "median", "nan_to_num", "nanmean", "nansum", "ptp", "rad2deg",
        "remainder", "roll", "round", "sinc", "sinh", "take", "tan", "tile", "tril", "triu",
    )},
}
# fmt: on

MODULE: dict[str, str] = {
    # a name of the module torch: what to write
    "Adam": "mg.optim.Adam(model)",
    "F": "np.exp, mg.ops.softmax, mg.nn.cross_entropy …",
    "FloatTensor": "mg.tensor([1.0, 2.0])",
    "LongTensor": "mg.tensor([1, 2])",
    "Module": "mg.nn.Module",
    "SGD": "mg.optim.SGD(model, lr=0.1)",
    "autograd": "mg.grad, mg.gradients, mg.gradcheck, mg.define",
    "bool": "dtype='bool'",
    "compile": "nothing: there is no compiler here",
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
    "BCELoss": "nn.BCEWithLogitsLoss(), on logits, without a Sigmoid before it",
    "BatchNorm1d": "nn.LayerNorm(width)",
    "Identity": "nothing: the layer can be left out",
    "LogSoftmax": "nn.CrossEntropyLoss(), on logits, without a softmax before it",
    "ModuleDict": "a dict: self.heads = {'left': nn.Linear(2, 1)}",
    "ModuleList": "a list: self.layers = [nn.Linear(2, 3), nn.Linear(3, 1)]",
    "NLLLoss": "nn.CrossEntropyLoss(), on logits, without a softmax before it",
    "ParameterDict": "a dict: self.gains = {'left': nn.Parameter([1.0])}",
    "ParameterList": "a list: self.gains = [nn.Parameter([1.0])]",
    "Softplus": "mg.ops.softplus(x)",
    "binary_cross_entropy_with_logits": "nn.bce_with_logits(logits, targets)",
    "functional": "nn.cross_entropy(logits, labels), mg.ops.softmax(x), np.tanh(x)",
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


def definition(name: str) -> str:
    """Write out the definition of an operation whose rule is known."""
    rule = RULES[name]
    needs = "g, y" if "y" in rule else "g, a"
    return f'{name} = mg.define("{name}", np.{name}, "{name} a", lambda {needs}: {rule})'


def refused() -> set[str]:
    """Return the names of all methods that are known and that Tensors do not have."""
    return {*METHODS, *SAME}


def instead_of_method(word: str) -> str:
    """Say what to write instead of a method that Tensors do not have; nothing where the word is not known."""
    function = SAME.get(word, "")
    if function in RULES:
        return f": define it, {definition(function)}"
    text = METHODS.get(word) or INSTEAD.get(function)
    return f": write {text}" if text else ""


def no_name(module: str, word: str, known: Iterable[str]) -> AttributeError:
    """Say that a module has no such name, and what to write: ``minigrad``, ``minigrad.nn`` or ``minigrad.optim``."""
    text = {"minigrad": MODULE, "minigrad.nn": NN, "minigrad.optim": OPTIM}[module].get(word)
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


def no_rule(name: str, options: Iterable[str] = ()) -> OperationError:
    """Say that a NumPy function has no gradient rule (MG-602), and what to write."""
    asked = "".join(f", {option}=…" for option in options)
    hints = [OPTIONS[option] for option in options if option in OPTIONS]
    if hints:
        hint = " ".join(hints)
    elif name in RULES:
        hint = f"Define it: {definition(name)}."
    else:
        hint = f"Write {INSTEAD[name]}." if name in INSTEAD else "Compose it from operations that have one."
        hint += " mg.define makes an operation of your own."
    return OperationError(
        "MG-602",
        f"np.{name}(tensor{asked}) has no gradient rule in minigrad. {hint} "
        "Where no gradient is needed, work on t.numpy().",
    )
