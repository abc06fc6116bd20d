# %% [markdown]
# # 17. From here to PyTorch
#
# You have seen every number of a training step. The frameworks that the world works with show you none of
# them, but **underneath they do the same**. This tutorial shows that it is really the same: one program in
# both, the same weights, the same batches, and numbers that agree to the last digits that float32 has. Then:
# what is called differently, what is different, and what comes next.
#
# The comparisons are what minigrad's own tests do all the time (`tests/test_torch_graphs.py`,
# `tests/optim/test_parity.py`, `tests/nn/test_layers.py`).
#
# PyTorch is not needed for minigrad. Where it is missing, the cells below say so and go on.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits
from minigrad.exercises import exercise
from minigrad.viz.plots import BLUE, GREEN, ORANGE

try:
    import torch
    from safetensors.torch import load_file, save_file

    torch.set_num_threads(1)
    print("PyTorch", torch.__version__)
except ImportError:
    torch = None
    print("PyTorch is not installed here: its half of each comparison is skipped (pip install torch).")

# %% [markdown]
# ## 1. One neuron, by hand and twice
#
# A single weight and bias, one sample: $w = 0.5$, $b = 0.1$, $x = 2$, target $t = 1$, and the loss
# $(\tanh(wx + b) - t)^2$. By hand:
#
# $$u = 0.5\cdot2 + 0.1 = 1.1,\quad \tanh u = 0.80050,\quad L = (-0.19950)^2 = 0.03980,$$
#
# $$\frac{\partial L}{\partial u} = 2\cdot(-0.19950)\cdot(1 - 0.80050^2) = -0.14332,\quad
# \frac{\partial L}{\partial w} = 2\cdot(-0.14332) = -0.28664,\quad \frac{\partial L}{\partial b} = -0.14332 .$$

# %%
w = mg.Tensor(0.5, requires_grad=True)
b = mg.Tensor(0.1, requires_grad=True)
loss = (np.tanh(w * 2.0 + b) - 1.0) ** 2
loss.backward()
print(f"minigrad  L = {loss.item():.5f}  dL/dw = {w.grad.item():.5f}  dL/db = {b.grad.item():.5f}")
assert f"{w.grad.item():.5f} {b.grad.item():.5f}" == "-0.28664 -0.14332"

# %%
if torch is not None:
    w = torch.tensor(0.5, requires_grad=True)
    b = torch.tensor(0.1, requires_grad=True)
    loss = (torch.tanh(w * 2.0 + b) - 1.0) ** 2
    loss.backward()
    print(f"PyTorch   L = {loss.item():.5f}  dL/dw = {w.grad.item():.5f}  dL/db = {b.grad.item():.5f}")

# %% [markdown]
# Two words differ: `mg.Tensor` and `torch.tensor`, `np.tanh` and `torch.tanh`. Everything else is the same
# because minigrad took PyTorch's vocabulary wherever PyTorch has one: `requires_grad`, `backward`, `.grad`,
# `detach`, `no_grad`, `zero_grad`, `state_dict`. Many more of its words are understood beside NumPy's, on a Tensor:
# `dim` and `keepdim`, `view`, `unsqueeze`, `clamp`, `mg.tensor`, `mg.cat`. Where a word is not, the message says
# what to write.

# %%
t = mg.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], requires_grad=True)
print(t.clamp(min=0).sum(dim=1, keepdim=True).size(), t.view(3, -1).size(0), t.unsqueeze(0).shape)
try:
    t.topk(2)
except AttributeError as error:
    print(error)

# %% [markdown]
#
# ## 2. The same network, the same weights
#
# The network is 64–32–10 on the 8×8 digits. In both, a dense layer is `Linear(in, out)` with a `weight` of
# shape **(out, in)** and computes $xW^\top + b$; in both, the parts of a `Sequential` go by their number.
#
# To compare we must start from the same weights. `torch.manual_seed(0)` and `np.random.default_rng(0)` are
# different generators, so **carry the weights, not the seed**. The file format safetensors is plain data that
# both sides read: names, shapes and numbers, no code.

# %%
rng = np.random.default_rng(17)
ours = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
scratch = tempfile.TemporaryDirectory()  # removed when the program ends
folder = Path(scratch.name)
nn.save_weights(ours, folder / "start.safetensors")
start = ours.state_dict()
for name, array in start.items():
    print(f"{name:9s} {array.dtype} {array.shape}")

# %%
if torch is not None:
    theirs = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    print(theirs.load_state_dict(load_file(folder / "start.safetensors")))

# %% [markdown]
# "All keys matched": PyTorch found every name and every shape that it expected. Do the two compute the same?

# %%
digits = load_digits()
x, y = digits.x[:128], digits.y[:128]
logits = ours(mg.Tensor(x)).numpy()
print("minigrad:", logits[0, :4])
if torch is not None:
    their_logits = theirs(torch.from_numpy(x)).detach().numpy()
    print("PyTorch: ", their_logits[0, :4])
    print(f"largest difference of {logits.size:,} logits: {np.abs(logits - their_logits).max():.1e}")
    assert np.allclose(logits, their_logits, atol=1e-5)

# %% [markdown]
# They agree to about one part in ten million, which is what float32 can hold. The rest is the order in which
# the 64 products of each sum are added (tutorial 15).
#
# ## 3. The same step
#
# Now the loop. Read the two functions side by side:


# %%
def train_ours(make_optimizer, steps=100):
    """Train minigrad's network; return the losses."""
    ours.load_state_dict(start)
    optimizer, losses = make_optimizer(ours), []
    for step in range(steps):
        batch = slice(step % 14 * 128, step % 14 * 128 + 128)
        optimizer.zero_grad()
        loss = nn.cross_entropy(ours(mg.Tensor(digits.x[batch])), digits.y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_theirs(make_optimizer, steps=100):
    """Train PyTorch's network; return the losses."""
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in start.items()})
    optimizer, losses = make_optimizer(theirs.parameters()), []
    for step in range(steps):
        batch = slice(step % 14 * 128, step % 14 * 128 + 128)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            theirs(torch.from_numpy(digits.x[batch])), torch.from_numpy(digits.y[batch])
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# First one step of plain gradient descent, and every gradient compared:

# %%
train_ours(lambda model: optim.SGD(model, lr=0.1), steps=1)
if torch is not None:
    train_theirs(lambda parameters: torch.optim.SGD(parameters, lr=0.1), steps=1)
    for (name, mine), parameter in zip(ours.named_parameters().items(), theirs.parameters(), strict=True):
        gap = np.abs(mine.grad.numpy() - parameter.grad.numpy()).max()
        moved = np.abs(mine.numpy() - parameter.detach().numpy()).max()
        print(f"{name:9s} gradient differs by {gap:.1e}, weight after the step by {moved:.1e}")
        assert gap < 1e-6 and moved < 1e-6
else:
    for name, mine in ours.named_parameters().items():
        print(f"{name:9s} largest gradient {np.abs(mine.grad.numpy()).max():.4f}")

# %% [markdown]
# Then 100 steps with each of four optimizers. Tutorials 7 to 9 went through their formulas; PyTorch's are
# those, with the same names for the settings:

# %%
pairs = {
    "SGD": (lambda m: optim.SGD(m, lr=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (
        lambda m: optim.SGD(m, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    ),
    "RMSprop": (lambda m: optim.RMSprop(m, lr=0.002), lambda p: torch.optim.RMSprop(p, lr=0.002)),
    "Adam": (lambda m: optim.Adam(m, lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
}
runs = {}
for name, (make_ours, make_theirs) in pairs.items():
    mine = np.array(train_ours(make_ours))
    runs[name] = mine, np.array(train_theirs(make_theirs)) if torch is not None else mine
    line = f"{name:9s} loss {mine[0]:.4f} -> {mine[-1]:.6f}"
    if torch is not None:
        line += f"   PyTorch's {runs[name][1][-1]:.6f}"
        line += f"   largest relative difference {np.max(np.abs(runs[name][1] / mine - 1)):.0e}"
        assert np.allclose(*runs[name], rtol=0.1, atol=1e-3)
    print(line)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
mine, yours = runs["Adam"]
left.semilogy(mine, color=BLUE, label="minigrad")
if torch is not None:
    left.semilogy(yours, "--", color=ORANGE, label="PyTorch")
    styles = zip(runs.items(), ("-", "--", ":", "-."), (BLUE, ORANGE, GREEN, "black"), strict=True)
    for (name, (mine, yours)), style, colour in styles:
        so_far = np.maximum.accumulate(np.abs(mine - yours) / mine)
        right.semilogy(np.where(so_far > 0, so_far, np.nan), style, color=colour, label=name)
    right.set_ylim(5e-8, 1e-1)
    right.legend(frameon=False, loc="upper left", ncols=2)
left.set(xlabel="step", ylabel="loss", title="Adam: one curve or two?")
right.set(xlabel="step", title="Relative difference, largest so far")
left.legend(frameon=False)
plt.show()

# %% [markdown]
# On the left the curves lie on one another. On the right you see what lies between them: it begins at the
# rounding of float32, and grows, since each step starts from slightly different weights. Where it jumps, the
# input of some ReLU was so close to 0 that it fell to one side here and to the other side there. This is no
# fault of either; two versions of PyTorch, or one version on two machines, differ in the same way.
# **Equal to the last bit is a promise that only one program on one machine can make.** Equal within rounding
# is what "the same" means between two.
#
# ## 4. And back
#
# Weights trained in PyTorch come home the same way. `load_weights` checks names and shapes before it touches
# anything (MG-713):

# %%
if torch is not None:
    save_file(theirs.state_dict(), folder / "trained.safetensors")
else:
    nn.save_weights(ours, folder / "trained.safetensors")
fresh = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
nn.load_weights(fresh, folder / "trained.safetensors")
with mg.no_grad():
    predicted = fresh(mg.Tensor(digits.x)).numpy().argmax(axis=1)
print(f"right: {np.mean(predicted == digits.y):.1%} of {len(digits):,} images")
try:
    nn.load_weights(nn.Linear(64, 10), folder / "trained.safetensors")
except mg.errors.MinigradError as error:
    print(error)

# %% [markdown]
# ## 5. Your own operation, over there
#
# In tutorial 14 a rule was a pair of formula and function. PyTorch has the same under the name
# `autograd.Function`: `forward` computes and saves what the rule needs, `backward` is the rule, and
# `gradcheck` compares it with central differences, in float64, as ours does:

# %%
if torch is not None:

    class LogCosh(torch.autograd.Function):
        """ln cosh a, with the rule g · tanh a."""

        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a.abs() + torch.log1p(torch.exp(-2 * a.abs())) - np.log(2)

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            return g * torch.tanh(a)

    points = torch.linspace(-2.9, 3.1, 7, dtype=torch.float64, requires_grad=True)
    print("gradcheck:", torch.autograd.gradcheck(LogCosh.apply, (points,)))

# %% [markdown]
# What minigrad's rule did by naming its parameters (`lambda g, a: …`), `save_for_backward` does by hand.
#
# ## 6. What is different
#
# First the lines that can be written in both, and mean two things. Where NumPy has a meaning, it stays:
#
# | the line | in minigrad, as in NumPy | in PyTorch |
# |---|---|---|
# | `t.var()`, `t.std()` | divided by $n$ (`ddof=0`) | divided by $n-1$; `correction=1` and `unbiased=True` say it in both |
# | `t.max(1)`, `t.min(1)` | the values | a pair, values and indices; `t.max(dim=1)` is that pair in both |
# | `t.transpose(0, 1)` of a matrix | the order of the axes: nothing changes (MG-607) | swaps two axes; on 3 axes or more both do |
# | `float32 * int64` | float64 | float32; a list of numbers, `t * [1, 2]`, takes `t`'s dtype here |
# | `t.max()` where two are the largest | each gets half of the gradient | the same; along an axis PyTorch picks one |
# | `t.split(2)`, `np.split(t, 2)` | parts of length 2; two parts | `t.split(2)`: parts of length 2 |
# | `t.squeeze(1)` of an axis that is not 1 | an error | nothing changes |
# | `t.floor()`, `t.sign()`, `t // u` | no graph: they have no slope | a graph with the gradient 0 |
# | `t.data` | a NumPy array: `t.data -= 0.1 * t.grad` works, `t.data.add_()` does not | a tensor |
# | `t.numpy()` | the numbers, also where `t` requires a gradient | an error: `t.detach().numpy()` |
# | `model.state_dict()` | copies, as NumPy arrays | tensors on the model's memory |
# | `model.named_parameters()` | a dict whose loop gives pairs | an iterator of pairs |
# | `nn.Linear(3, 1)` | the same distribution, drawn from a generator: `rng=` | drawn from `torch.manual_seed` |
#
# One trap is the same in both: `math.exp(t)`, `float(t)` and `array[0] = t` take the number out of `t`, and the graph
# ends there. Then what has another name, or is there on one side only:
#
# | minigrad | PyTorch | mind |
# |---|---|---|
# | `np.sin(t)`, `t.sin()` | `torch.sin(t)`, `t.sin()` | NumPy's functions refuse a PyTorch tensor that requires a gradient |
# | `nn.half_mse` | none | the ½ of the documents: PyTorch's `mse_loss` has twice the gradient |
# | `optim.GD` | `optim.SGD` | the same rule; only the batch differs |
# | `optim.Adam(..., max_norm=1)` | `nn.utils.clip_grad_norm_` before `step()` | |
# | `mg.accumulate(4)` | divide the loss by 4 yourself | |
# | `mg.debug()` | `torch.autograd.set_detect_anomaly(True)` | theirs looks at the walk back |
# | `mg.grad`, `mg.value_and_grad` | `torch.func.grad`, `grad_and_value` | functions of functions, of dicts and lists too |
# | `mg.vjp`, `mg.jvp`, `mg.linearize`, `mg.hessian` | the same in `torch.func` | |
# | `mg.jacobian` | `torch.func.jacrev`, `jacfwd` | rows or columns, whichever are fewer |
# | `mg.functional_call(model, params, x)` | `torch.func.functional_call` | |
# | `mg.checkpoint(f)(x)` | `torch.utils.checkpoint.checkpoint(f, x)` | |
# | a warning for forgotten `zero_grad()` | none | gradients add up silently |
# | softmax before `cross_entropy` warns | none | MG-401 here, a network that learns badly there |
#
# The first three lines of the first table, as numbers:

# %%
values = np.array([[1.0, 4.0, 2.0], [3.0, 0.0, 6.0]])
t = mg.Tensor(values)
print("minigrad: var", t.var().item(), " corrected", t.var(correction=1).item(), " max(1)", t.max(1).numpy())
print("          max(dim=1)", [part.numpy().tolist() for part in t.max(dim=1)], " transposed", t.T.shape)
assert np.isclose(t.var(correction=1).item(), t.var().item() * 6 / 5)
if torch is not None:
    t = torch.tensor(values)
    print("PyTorch:  var", t.var(correction=0).item(), " corrected", t.var().item())
    print(
        "          max(1)",
        [part.tolist() for part in t.max(1)],
        " transpose(0, 1)",
        tuple(t.transpose(0, 1).shape),
    )

# %% [markdown]
# And one of the second kind is worth a look. Both losses below are called "mean squared error" somewhere:

# %%
prediction, target = np.array([3.0, 1.0], "float32"), np.array([1.0, 1.0], "float32")
for function in (nn.half_mse, nn.mse):
    p = mg.Tensor(prediction, requires_grad=True)
    function(p, target).backward()
    print(f"minigrad {function.__name__:9s} gradient {p.grad.numpy()}")
if torch is not None:
    p = torch.tensor(prediction, requires_grad=True)
    torch.nn.functional.mse_loss(p, torch.from_numpy(target)).backward()
    print(f"PyTorch  mse_loss  gradient {p.grad.numpy()}")

# %% [markdown]
# A program that is moved from one to the other needs **half or double the learning rate** there, and nothing
# else tells you so.
#
# ## 7. What comes next
#
# What PyTorch adds is not another mathematics. It adds *reach*: convolutions and attention with hand-tuned
# kernels for every GPU, half precision, networks spread over many machines, `torch.compile`, and ten thousand
# published models. What you take along is what lies beneath: that a gradient is a walk back along a tape,
# that an optimizer is three lines of arithmetic, that a NaN has a first place, that a rule can be proved,
# that a kernel is fast where it uses what it fetched, and that a curve which looks wrong has a reason you can
# find.
#
# When something in a large framework puzzles you, write the smallest case here, and look at every number.
#
# ## Exercises
#
# **17.1** JAX and Keras keep a dense layer's weights as `kernel` of shape **(in, out)** and `bias`. Write
# `from_keras(layer)`: it takes a dict with these two arrays and returns the dict that `nn.Linear` loads, with
# the keys `weight` and `bias`.


# %%
def from_keras(layer): ...  # your answer


exercise("17.1")(from_keras)

# %% [markdown]
# **17.2** A PyTorch program calls its layers `fc1` and `fc2` and applies ReLU between them. Its file has the
# keys `fc1.weight`, `fc1.bias`, `fc2.weight`, `fc2.bias`. Write `renamed(state)`: it returns the dict with
# the names that `nn.Sequential(nn.Linear(…), nn.ReLU(), nn.Linear(…))` expects.


# %%
def renamed(state): ...  # your answer


exercise("17.2")(renamed)

# %% [markdown]
# **17.3** Two conventions for momentum. PyTorch's (and ours): $b \leftarrow \mu b + g$,
# $\theta \leftarrow \theta - \eta b$. The paper's (Sutskever et al. 2013): $v \leftarrow \mu v - \eta g$,
# $\theta \leftarrow \theta + v$. With a constant rate they are the same. Now let the rate fall: $\mu = 0.5$,
# $g = 1$ in both steps, $\eta = 0.1$ in the first and $0.01$ in the second, start $\theta = 0$. Where are
# they after two steps? Hand in the pair (PyTorch's, the paper's).

# %%
after_two_steps = None  # your answer: (…, …)

exercise("17.3")(after_two_steps)
