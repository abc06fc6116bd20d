"""tinygrad: the whole step in one TinyJit, as in its MNIST example."""

from __future__ import annotations

from typing import Any

from tinygrad import Context, Tensor, TinyJit, nn

from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task, dense


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    params = [Tensor(array).realize() for layer in task.weights for array in layer]
    optimizer = nn.optim.SGD(params, lr=RATES["sgd"])
    if task.row.optimizer == "adam":
        optimizer = nn.optim.Adam(params, lr=RATES["adam"], b1=BETA1, b2=BETA2, eps=EPS)

    def whole(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        *hidden, (w, b) = zip(params[::2], params[1::2], strict=True)
        for v, c in hidden:
            x = x.linear(v.T, c).relu()
        z = x.linear(w.T, b)
        loss = (z - y).square().mean() if dense(task).is_regression else z.sparse_categorical_crossentropy(y)
        loss.backward()
        return loss.realize(*optimizer.schedule_step())

    jitted = TinyJit(whole)

    def step(x: Any, y: Any) -> Any:
        with Context(TRAINING=1):
            return jitted(x, y)

    def place(x: Any, y: Any) -> tuple[Any, Any]:
        return Tensor(x).realize(), Tensor(y if dense(task).is_regression else y.astype("int32")).realize()

    return Program(place, step)
