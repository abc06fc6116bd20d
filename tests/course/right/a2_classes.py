class Graph:
    def __init__(self, loss):
        self.loss, self.tensors = loss, {}

    def collect(self):
        todo = [self.loss]
        while todo:
            t = todo.pop(0)
            if t.record is not None and t.record.serial not in self.tensors:
                self.tensors[t.record.serial] = t
                todo.extend(x for x in t.record.inputs if type(x) is mg.Tensor)
        return self

    def __iter__(self):
        yield from (self.tensors[k] for k in sorted(self.tensors))


class Sums(dict):
    def add(self, key, value):
        self[key] = value if key not in self else np.add(self[key], value)


def seed(loss, gradient=None):
    if gradient is None:
        if np.prod(loss.shape, dtype=int) != 1:
            raise ValueError("no gradient")
        return np.array(1.0).reshape(loss.shape)
    gradient = np.asarray(gradient)
    if gradient.shape != loss.shape:
        raise ValueError("no fit")
    return gradient.copy()


def order(loss):
    return tuple(Graph(loss).collect())


def walk(tensors, gradients):
    sums = Sums(gradients)
    for t in tensors[::-1]:
        try:
            g = sums.pop(t)
        except KeyError:
            continue
        [sums.add(x, part) for x, part in contributions(t, g)]
    gradients.clear()
    gradients |= sums


def deposit(gradients):
    for leaf in gradients:
        if leaf.requires_grad is True:
            if leaf.grad is None:
                leaf.grad = np.zeros(leaf.shape) + gradients[leaf]
            else:
                leaf.grad = leaf.grad.numpy() + gradients[leaf]
