class Scale:
    def __init__(self, x):
        self.mean = x.mean(axis=0, dtype=np.float64)
        self.std = x.std(axis=0, dtype=np.float64)
        self.std[self.std < 1e-12] = 1

    def __call__(self, x):
        return (x - self.mean) / self.std


def standardise(train, new):
    return np.split(Scale(train)(np.concatenate([train, new])), [len(train)])


def batches(n, size, rng):
    keys = rng.random(n)
    order = sorted(range(n), key=keys.__getitem__)
    return np.array_split(order, range(size, n, size))


def training_step(model, optimizer, x, y):
    optimizer.zero_grad()
    logits = model(mg.Tensor(x))
    top = logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0] - logits[np.arange(len(y)), y]
    loss = losses.sum() / len(y)
    loss.backward()
    optimizer.step()
    return float(loss.numpy())


def accuracy(model, x, y):
    mode, _ = model.training, model.eval()
    with mg.no_grad():
        logits = model(mg.Tensor(x)).numpy()
    model.train(mode)
    right = logits[np.arange(len(y)), y] == logits.max(axis=1)
    return sum(right.tolist()) / len(right)


class Reader:
    def __init__(self, x, y, rng):
        self.scale = Scale(x)
        self.x, self.y, self.rng = self.scale(x).astype("float32"), y, rng
        self.model = nn.Sequential(nn.Linear(64, 64, rng=rng), nn.Tanh(), nn.Linear(64, 10, rng=rng))
        self.optimizer = optim.SGD(self.model, lr=0.3, momentum=0.9)

    def step(self):
        rows = self.rng.permutation(len(self.x))[:128]
        self.optimizer.zero_grad()
        nn.CrossEntropyLoss()(self.model(mg.Tensor(self.x[rows])), self.y[rows]).backward()
        self.optimizer.step()

    def __call__(self, new):
        return self.model(mg.Tensor(self.scale(new).astype("float32"))).numpy().argmax(-1)


def train(x, y, steps, rng):
    reader = Reader(x, y, rng)
    [reader.step() for _ in range(steps)]
    return reader
