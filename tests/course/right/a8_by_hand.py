def standardise(train, new):
    n = len(train)
    mean = sum(train) / n
    variance = sum((row - mean) ** 2 for row in train) / n
    std = [v**0.5 if v > 0 else 1.0 for v in variance.tolist()]
    return [[(a - mean) / std for a in images] for images in (train, new)]


def batches(n, size, rng):
    order = list(range(n))
    rng.shuffle(order)
    return [order[k : k + size] for k in range(0, n, size)]


def training_step(model, optimizer, x, y):
    for parameter in model.parameters():
        parameter.grad = None
    logits = model(mg.Tensor(x))
    loss = mg.ops.softmax_cross_entropy(logits, y).mean()
    loss.backward()
    optimizer.step()
    return np.float32(loss.numpy())


def accuracy(model, x, y):
    before = model.training
    model.eval()
    try:
        with mg.no_grad():
            right = sum(
                max(range(len(row)), key=lambda k: row[k]) == label
                for row, label in zip(model(mg.Tensor(x)).numpy(), y)
            )
    finally:
        model.train(before)
    return right / len(y)


def train(x, y, steps, rng):
    low, high = x.min(axis=0), x.max(axis=0)
    scale = lambda a: ((a - low) / np.where(high > low, high - low, 1) * 2 - 1).astype(np.float32)
    w = mg.Tensor(rng.normal(size=(64, 80)).astype(np.float32) / 8, requires_grad=True, name="w")
    v = mg.Tensor(rng.normal(size=(80, 10)).astype(np.float32) / 9, requires_grad=True, name="v")
    adam = optim.Adam([w, v], lr=0.02)
    for _ in range(steps):
        k = rng.integers(0, len(x), 100)
        adam.zero_grad()
        mg.ops.softmax_cross_entropy(np.tanh(mg.Tensor(scale(x[k])) @ w) @ v, y[k]).mean().backward()
        adam.step()
    return lambda new: [int(row.argmax()) for row in np.tanh(scale(new) @ w.numpy()) @ v.numpy()]
