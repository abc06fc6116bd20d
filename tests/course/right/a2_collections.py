import heapq
from collections import defaultdict, deque


def seed(loss, gradient=None):
    match gradient:
        case None if loss.size == 1:
            return np.full(loss.shape, 1)
        case None:
            raise ValueError
    if (start := np.array(gradient, dtype=loss.dtype)).shape == loss.shape:
        return start
    raise ValueError


def order(loss):
    heap, found, count = [], [], set()
    if loss.record:
        heap = [(-loss.record.serial, id(loss), loss)]
    while heap:
        _, key, tensor = heapq.heappop(heap)
        if key in count:
            continue
        count.add(key)
        found.append(tensor)
        for x in tensor.record.inputs:
            if isinstance(x, mg.Tensor) and x.record:
                heapq.heappush(heap, (-x.record.serial, id(x), x))
    return found[::-1]


def walk(tensors, gradients):
    arrived = defaultdict(list)
    for tensor, g in list(gradients.items()):
        arrived[tensor].append(g)
    gradients.clear()
    queue = deque(tensors)
    while queue:
        parts = arrived.pop(queue[-1], None)
        tensor = queue.pop()
        if parts:
            for x, part in contributions(tensor, sum(parts)):
                arrived[x].append(part)
    gradients.update((leaf, sum(parts)) for leaf, parts in arrived.items())


def deposit(gradients):
    for leaf, g in gradients.items():
        if not leaf.requires_grad:
            continue
        before = leaf.grad
        leaf.grad = mg.Tensor(g.copy() if before is None else np.add(before.numpy(), g))
