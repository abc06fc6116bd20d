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
    Planted(
        "seed: a one of no shape",
        "gradient = np.ones(loss.shape)",
        "return np.ones(())",
        "seed-number",
        says=r"A loss of shape \(1,\) starts",
    ),
    Planted(
        "seed: every loss starts with ones",
        "if loss.size != 1:",
        "if False:",
        "seed-refused",
        says="A matrix has no gradient",
    ),
    Planted(
        "seed: no look at the given shape",
        "if np.shape(gradient) != loss.shape:",
        "if False:",
        "seed-refused",
        says="A matrix has no gradient",
    ),
    Planted(
        "seed: the caller's own array",
        "np.array(gradient, dtype",
        "np.asarray(gradient, dtype",
        "seed-given",
        says="What you return is the array",
    ),
    Planted(
        "order: the last first",
        "tensor: tensor",
        "tensor: -tensor",
        "order-line order-users-first",
        says="The other way round",
    ),
    Planted(
        "order: as found, not as made",
        "    found, pending = set(), [loss]",
        AS_FOUND,
        "order-users-first",
        says="A tensor that is used by",
    ),
    Planted(
        "order: as often as used",
        SORTED,
        REPEATED,
        "order-once order-users-first",
        says="A tensor that is used in",
    ),
    Planted("order: recursion", SORTED, RECURSION, "order-deep", says="Python's recursion ends at"),
    Planted(
        "order: leaves too",
        SORTED,
        WITH_LEAVES,
        "order-line order-once order-users-first order-deep",
        says="x is a leaf",
    ),
    Planted(
        "walk: = for +=",
        SUM,
        "gradients[x] = part",
        "walk-meeting walk-memory",
        says="What arrived last has replaced",
    ),
    Planted(
        "walk: added into an array that others hold",
        SUM,
        IN_PLACE,
        "walk-memory",
        says=r"The gradients of a \+ b are",
    ),
    Planted(
        "walk: forwards",
        "reversed(tensors)",
        "tensors",
        WALKS + " walk-leaves-only",
        says="No gradient has arrived at",
    ),
    Planted(
        "walk: KeyError where there is no gradient",
        "pop(tensor, None)",
        "pop(tensor)",
        "walk-nothing-there",
        says="A tensor may stand in the",
    ),
    Planted(
        "walk: gradients on the way are kept",
        ".pop(tensor, None)",
        ".get(tensor)",
        "walk-leaves-only",
        says="What is left in the dictionary",
    ),
    Planted(
        "walk: no local derivative",
        "contributions(tensor, g):",
        "[(x, g) for x, _ in contributions(tensor, g)]:",
        WALKS,
        says="The gradient has come through",
    ),
    Planted(
        "deposit: = for +=",
        DEPOSITED,
        "leaf.grad = g.copy()",
        "deposit-adds deposit-engine",
        says="The second pass has replaced",
    ),
    Planted(
        "deposit: the walk's own array",
        "g.copy() if",
        "g if",
        "deposit-memory",
        says="One array may be the gradient",
    ),
    Planted(
        "deposit: added in place",
        DEPOSITED,
        DEPOSITED_IN_PLACE,
        "deposit-memory",
        says=r"A \.grad that somebody has",
    ),
    Planted(
        "deposit: into everything",
        "if leaf.requires_grad:",
        "if True:",
        "deposit-only-wanted",
        says="The dictionary may hold tensors",
    ),
    Planted(
        "deposit: the mean",
        "leaf.grad.numpy() + g",
        "(leaf.grad.numpy() + g) / 2",
        "deposit-adds deposit-engine",
        says="This is the mean of both",
    ),
    Planted(
        "seed: the loss itself",
        "gradient = np.ones(loss.shape)",
        "gradient = loss.numpy()",
        "seed-number",
        says="This is the loss itself",
    ),
    Planted(
        "seed: another error",
        'ValueError(f"the loss',
        'TypeError(f"the loss',
        "seed-refused",
        says="What cannot be a start is",
    ),
    Planted(
        "seed: refuses what fits",
        "if np.shape(gradient) != loss.shape:",
        "if True:",
        "seed-number seed-refused seed-given",
    ),
    Planted(
        "order: without the loss",
        SORTED,
        SORTED + "[:-1]",
        "order-line order-once order-users-first order-deep",
        says="The loss itself belongs to",
    ),
    Planted(
        "order: the first input only",
        "isinstance(x, mg.Tensor)]",
        "isinstance(x, mg.Tensor)][:1]",
        "order-users-first",
        says="Some tensors are missing",
    ),
    Planted(
        "order: by name",
        "tensor: tensor.record.serial",
        "tensor: tensor.record.operation.name",
        "order-line order-users-first",
    ),
    Planted(
        "walk: what came first stays",
        SUM,
        "gradients.setdefault(x, part)",
        "walk-meeting walk-memory",
        says="What arrived first has stayed",
    ),
    Planted(
        "walk: the mean",
        SUM,
        "gradients[x] = (gradients[x] + part) / 2 if x in gradients else part",
        "walk-meeting walk-memory",
    ),
    Planted(
        "walk: the last tensor is passed over",
        "reversed(tensors)",
        "reversed(tensors[:-1])",
        WALKS + " walk-leaves-only",
        says="No gradient has arrived at",
    ),
    Planted(
        "deposit: the first pass alone",
        DEPOSITED,
        "leaf.grad = g.copy() if leaf.grad is None else leaf.grad.numpy()",
        "deposit-adds deposit-engine",
        says="The second pass has left",
    ),
    Planted(
        "deposit: from the second pass on",
        DEPOSITED,
        "leaf.grad = leaf.grad if leaf.grad is None else leaf.grad.numpy() + g",
        "deposit-adds deposit-memory deposit-only-wanted deposit-engine",
        says=r"Nothing is in \.grad after",
    ),
    Planted(
        "deposit: the sign",
        DEPOSITED,
        "leaf.grad = -g if leaf.grad is None else leaf.grad.numpy() - g",
        "deposit-adds deposit-memory deposit-only-wanted deposit-engine",
    ),
]
