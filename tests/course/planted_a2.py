"""Wrong solutions of assignment 2."""

from tests.course.planting import Planted

SORTED = "    return sorted(found, key=lambda tensor: tensor.record.serial)"
SUM = "gradients[x] = gradients[x] + part if x in gradients else part"
DEPOSITED = "leaf.grad = g.copy() if leaf.grad is None else leaf.grad.numpy() + g"
WALKS = "walk-line walk-meeting walk-memory walk-nothing-there walk-engine"

AS_FOUND = """
    found, pending = {}, [loss]
    while pending:
        tensor = pending.pop(0)
        if tensor.record is not None and tensor not in found:
            found[tensor] = True
            pending += [x for x in tensor.record.inputs if isinstance(x, mg.Tensor)]
    return list(found)[::-1]
"""

RECURSION = """
    def visit(tensor):
        if tensor.record is not None and tensor not in found:
            found.add(tensor)
            for x in tensor.record.inputs:
                if isinstance(x, mg.Tensor):
                    visit(x)

    found = set()
    visit(loss)
    return sorted(found, key=lambda tensor: tensor.record.serial)
"""

REPEATED = """
    found, pending = [], [loss]
    while pending:
        tensor = pending.pop()
        if tensor.record is not None:
            found.append(tensor)
            pending += [x for x in tensor.record.inputs if isinstance(x, mg.Tensor)]
    return sorted(found, key=lambda tensor: tensor.record.serial)
"""

WITH_LEAVES = """
    found, pending = {}, [loss]
    while pending:
        tensor = pending.pop()
        if tensor in found:
            continue
        found[tensor] = 0
        if tensor.record is not None:
            found[tensor] = tensor.record.serial
            pending += [x for x in tensor.record.inputs if isinstance(x, mg.Tensor)]
    return sorted(found, key=found.get)
"""

IN_PLACE = """if x in gradients:
                gradients[x] += part
            else:
                gradients[x] = part"""

DEPOSITED_IN_PLACE = """if leaf.grad is None:
                leaf.grad = g.copy()
            else:
                leaf.grad.numpy()[...] += g"""

PLANTED = [
    Planted("seed: a one of no shape", "gradient = np.ones(loss.shape)", "return np.ones(())", "seed-number"),
    Planted("seed: every loss starts with ones", "if loss.size != 1:", "if False:", "seed-refused"),
    Planted(
        "seed: no look at the given shape",
        "if np.shape(gradient) != loss.shape:",
        "if False:",
        "seed-refused",
    ),
    Planted(
        "seed: the gradient's dtype",
        "np.array(gradient, dtype=loss.dtype)",
        "np.array(gradient)",
        "seed-given",
    ),
    Planted(
        "seed: the caller's own array", "np.array(gradient, dtype", "np.asarray(gradient, dtype", "seed-given"
    ),
    Planted("order: the last first", "tensor: tensor", "tensor: -tensor", "order-line order-users-first"),
    Planted(
        "order: as found, not as made", "    found, pending = set(), [loss]", AS_FOUND, "order-users-first"
    ),
    Planted("order: as often as used", SORTED, REPEATED, "order-once order-users-first"),
    Planted("order: recursion", SORTED, RECURSION, "order-deep"),
    Planted("order: leaves too", SORTED, WITH_LEAVES, "order-line order-once order-users-first order-deep"),
    Planted("walk: = for +=", SUM, "gradients[x] = part", "walk-meeting walk-memory"),
    Planted("walk: added into an array that others hold", SUM, IN_PLACE, "walk-memory"),
    Planted("walk: forwards", "reversed(tensors)", "tensors", WALKS + " walk-leaves-only"),
    Planted(
        "walk: KeyError where there is no gradient", "pop(tensor, None)", "pop(tensor)", "walk-nothing-there"
    ),
    Planted("walk: gradients on the way are kept", ".pop(tensor, None)", ".get(tensor)", "walk-leaves-only"),
    Planted(
        "walk: no local derivative",
        "contributions(tensor, g):",
        "[(x, g) for x, _ in contributions(tensor, g)]:",
        WALKS,
    ),
    Planted("deposit: = for +=", DEPOSITED, "leaf.grad = g.copy()", "deposit-adds deposit-engine"),
    Planted("deposit: the walk's own array", "g.copy() if", "g if", "deposit-memory"),
    Planted("deposit: added in place", DEPOSITED, DEPOSITED_IN_PLACE, "deposit-memory"),
    Planted("deposit: into everything", "if leaf.requires_grad:", "if True:", "deposit-only-wanted"),
    Planted(
        "deposit: the mean",
        "leaf.grad.numpy() + g",
        "(leaf.grad.numpy() + g) / 2",
        "deposit-adds deposit-engine",
    ),
]
