def seed(loss, gradient=None):
    if gradient is None and loss.shape not in ((), (1,), (1, 1)):
        raise ValueError("say what each entry is worth")
    start = np.ones_like(loss.numpy()) if gradient is None else np.array(gradient, float)
    if start.shape != loss.shape:
        raise ValueError(f"{start.shape} for a loss of {loss.shape}")
    return start


def inputs_of(tensor):
    return (x for x in tensor.record.inputs if hasattr(x, "record") and x.record is not None)


def order(loss):
    if loss.record is None:
        return []
    done, made = set(), []
    stack = [(loss, inputs_of(loss))]
    seen = {loss}
    while stack:
        tensor, rest = stack[-1]
        for x in rest:
            if x not in seen:
                seen.add(x)
                stack.append((x, inputs_of(x)))
                break
        else:
            stack.pop()
            made.append(tensor)
    return sorted(made, key=lambda t: t.record.serial)


def walk(tensors, gradients):
    if not tensors:
        return
    *before, last = tensors
    if last in gradients:
        for x, part in contributions(last, gradients.pop(last)):
            gradients[x] = gradients.get(x, 0) + part
    walk(before, gradients)


def deposit(gradients):
    for leaf in filter(lambda t: t.requires_grad, gradients):
        old = 0 if leaf.grad is None else leaf.grad.numpy()
        leaf.grad = old + np.array(gradients[leaf])
