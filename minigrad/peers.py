"""Words of other libraries than PyTorch and NumPy: micrograd, MiniTorch, DeZero, autograd, tinygrad, Chainer and MLX.

What stands behind a word can be pasted, for tensors t and u, a model, a function f and its argument x.
"""

from __future__ import annotations

_AT_ONCE = "nothing: every operation is computed at once"
_DRAWN = "mg.tensor(np.random.default_rng(0).normal(size=(2, 3)), dtype='float32', requires_grad=True)"
_UNIFORM = (
    "mg.tensor(np.random.default_rng(0).uniform(-1, 1, size=(2, 3)), dtype='float32', requires_grad=True)"
)
_LEAF = "mg.tensor([1.0, 2.0], requires_grad=True)"
_SEED = "rng = np.random.default_rng(0); model = mg.nn.Linear(3, 1, rng=rng)"
_EVERY_CROSS_ENTROPY = "mg.nn.cross_entropy(t, labels)"

METHODS: dict[str, str] = {
    # of a tensor, and what is called on its class
    "_op": "mg.tape(t)",
    "_prev": "mg.tape(t)",
    "array": "t.numpy()",
    "assign": "with mg.no_grad(): t[...] = u",
    "at": "t + mg.ops.scatter(u, index=index, shape=t.shape)",
    "binary_crossentropy": "mg.nn.bce_with_logits(t, u)",
    "cast": "t.astype('float64')",
    "cat": "np.concatenate([t, u])",
    "cleargrad": "t.zero_grad()",
    "creator": "mg.tape(t)",
    "cross_entropy": _EVERY_CROSS_ENTROPY,
    "dropout": "mg.nn.Dropout(0.5, rng=np.random.default_rng(0))(t)",
    "einsum": "np.einsum('ij,kj->ik', t, u)",
    "elu": "np.where(t > 0, t, np.expm1(np.minimum(t, 0)))",
    "eye": "mg.eye(3)",
    "full": "mg.full((2, 3), 1.5)",
    "grad_var": "t.grad",
    "hardtanh": "np.clip(t, -1, 1)",
    "kaiming_uniform": "mg.nn.Linear(3, 2, init='he_uniform').weight",
    "layernorm": "mg.nn.LayerNorm(t.shape[-1])(t)",
    "leakyrelu": "t.leaky_relu(0.01)",
    "manual_seed": _SEED,
    "one_hot": "np.eye(3)[labels]",
    "ones": "mg.ones(2, 3)",
    "pad": "np.pad(t, ((1, 1), (0, 0)))",
    "quick_gelu": "t * (1.702 * t).sigmoid()",
    "randn": _DRAWN,
    "realize": _AT_ONCE,
    "scaled_uniform": _UNIFORM,
    "shrink": "t[0:1, 1:3]",
    "silu": "t * t.sigmoid()",
    "sparse_categorical_crossentropy": _EVERY_CROSS_ENTROPY,
    "stack": "np.stack([t, u])",
    "swish": "t * t.sigmoid()",
    "unchain": "t = t.detach()",
    "unchain_backward": "t = t.detach()",
    "uniform": _UNIFORM,
    "zero_grad_": "t.zero_grad()",
    "zeros": "mg.zeros(2, 3)",
}

MODULE: dict[str, str] = {
    "Chain": "mg.nn.Module",
    "GlobalCounters": "mg.record(step)",
    "Model": "mg.nn.Module",
    "Parameter": "mg.nn.Parameter([1.0])",
    "Scalar": _LEAF,
    "TinyJit": "nothing: there is no compiler here",
    "Value": _LEAF,
    "Variable": _LEAF,
    "array": "mg.tensor([1.0, 2.0])",
    "as_tensor": "mg.from_numpy(np.ones(3))",
    "as_variable": _LEAF,
    "datasets": "from minigrad.data import load_digits, load_mnist",
    "defvjp": "mg.define('cube', lambda a: a**3, 'a^3', lambda g, a: g * 3 * a**2, inputs='a')",
    "dtypes": "np.float32",
    "egrad": "mg.grad(lambda x: f(x).sum())(x)",
    "elementwise_grad": "mg.grad(lambda x: f(x).sum())(x)",
    "eval": _AT_ONCE,
    "functions": "np.tanh(x); mg.ops.relu(x); mg.nn.mse(t, u)",
    "grad_and_aux": "mg.grad(lambda x: (f(x).sum(), x), has_aux=True)(x)",
    "hessian_vector_product": "mg.hvp(lambda x: f(x).sum(), x, v)",
    "iterators": "from minigrad.data import DataLoader",
    "links": "mg.nn.Linear(3, 1)",
    "make_hvp": "mg.hvp(lambda x: f(x).sum(), x, v)",
    "make_jvp": "mg.jvp(f, (x,), (v,))",
    "make_vjp": "mg.vjp(f, x)",
    "multigrad": "mg.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, x)",
    "multigrad_dict": "mg.grad(lambda p: f(p['x']).sum())({'x': x})",
    "no_backprop_mode": "with mg.no_grad(): f(t)",
    "optimizers": "mg.optim.Adam(model)",
    "primitive": "mg.define('cube', lambda a: a**3, 'a^3', lambda g, a: g * 3 * a**2, inputs='a')",
    "random": _DRAWN,
    "serializers": "mg.nn.save_weights(model, 'weights.safetensors')",
    "test_mode": "model.eval()",
    "using_config": "with mg.no_grad(): f(t)",
}

NN: dict[str, str] = {
    "Chain": "nn.Module",
    "Classifier": "nn.cross_entropy(t, labels)",
    "MLP": "nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))",
    "datasets": "from minigrad.data import load_digits, load_mnist",
    "logsoftmax": "mg.ops.log_softmax(x, axis=-1)",
    "optim": "mg.optim.Adam(model)",
    "state": "model.state_dict(); model.parameters()",
    "value_and_grad": "mg.value_and_grad(lambda params: mg.functional_call(model, params, t).sum())"
    "(dict(model.named_parameters()))",
}

OPTIM: dict[str, str] = {
    "GradientClipping": "optim.clip_grad_norm(model, 1.0)",
    "MomentumSGD": "optim.SGD(model, lr=0.1, momentum=0.9)",
    "WeightDecay": "optim.SGD(model, lr=0.1, weight_decay=1e-4)",
    "cosine_decay": "optim.SGD(model, lr=optim.Cosine(0.1, 100))",
    "exponential_decay": "optim.SGD(model, lr=optim.Exponential(0.1, 0.99, 1))",
    "step_decay": "optim.SGD(model, lr=optim.StepDecay(0.1, 10, 0.5))",
}

MODEL: dict[str, str] = {
    # of a Module
    "cleargrads": "model.zero_grad()",
    "freeze": "for p in model.parameters(): p.requires_grad_(False)",
    "init_scope": "self.fc = nn.Linear(2, 1)",
    "leaf_modules": "model.named_modules()",
    "load_weights": "nn.load_weights(model, 'weights.safetensors')",
    "namedparams": "model.named_parameters()",
    "params": "model.parameters()",
    "save_weights": "nn.save_weights(model, 'weights.safetensors')",
    "to_gpu": "model.to('cuda')",
    "trainable_parameters": "[p for p in model.parameters() if p.requires_grad]",
    "unfreeze": "for p in model.parameters(): p.requires_grad_(True)",
}
