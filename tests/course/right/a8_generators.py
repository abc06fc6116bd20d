from contextlib import contextmanager


def standardise(train, new):
    mean, std = np.mean(train, 0), np.std(train, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(std > 0, 1 / std, 1)
    return tuple((a - mean) * factor for a in (train, new))


def batches(n, size, rng):
    left = rng.permutation(n)
    while len(left):
        now, left = np.split(left, [size])
        yield now


def training_step(model, optimizer, x, y):
    loss = nn.CrossEntropyLoss()(model(mg.Tensor(x)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


@contextmanager
def measuring(model):
    mode = model.training
    model.eval()
    with mg.no_grad():
        yield
    model.train(mode)


def accuracy(model, x, y):
    with measuring(model):
        guessed = np.argsort(model(mg.Tensor(x)).numpy(), axis=1)[:, -1]
    return np.count_nonzero(guessed == y) / np.size(y)


def train(x, y, steps, rng):
    mean, spread = x.mean(), x.std()
    model = nn.Sequential(nn.Linear(64, 96, rng=rng), nn.ReLU(), nn.Linear(96, 10, rng=rng))
    optimizer = optim.Adam(model, lr=0.01)
    left = steps
    while left > 0:
        for rows in batches(len(x), 100, rng):
            if left <= 0:
                break
            left -= 1
            training_step(model, optimizer, (x[rows] - mean) / spread, y[rows])

    def predict(new):
        with mg.no_grad():
            return np.max(model(mg.Tensor((new - mean) / spread)).numpy(), axis=1, keepdims=True)

    def read(new):
        with mg.no_grad():
            logits = model(mg.Tensor((new - mean) / spread)).numpy()
        return (logits == logits.max(axis=1, keepdims=True)) @ np.arange(10.0)

    return read
