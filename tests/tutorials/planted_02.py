"""Tutorial 02: solutions, and wrong answers under words that their hints must contain."""


def walk_back(tape):
    found = {tape[-1][0]: 1.0}
    for result, inputs in reversed(tape):
        for name, local in inputs:
            found[name] = found.get(name, 0.0) + found.get(result, 0.0) * local
    return found


def overwrites(tape):
    found = {tape[-1][0]: 1.0}
    for result, inputs in reversed(tape):
        for name, local in inputs:
            found[name] = found.get(result, 0.0) * local
    return found


def forwards(tape):
    found = {tape[-1][0]: 1.0}
    for result, inputs in tape:
        for name, local in inputs:
            found[name] = found.get(name, 0.0) + found.get(result, 0.0) * local
    return found


def local_only(tape):
    found = {tape[-1][0]: 1.0}
    for _, inputs in reversed(tape):
        for name, local in inputs:
            found[name] = found.get(name, 0.0) + local
    return found


def without_the_loss(tape):
    return {name: g for name, g in walk_back(tape).items() if name != tape[-1][0]}


SOLUTIONS = {"02.1": [12, 3, 21, 12], "02.2": walk_back, "02.3": [1.6, 2.68, 4.024]}
WRONG = {
    "02.1": {
        "two contributions have to be added": [6, 3, 15, 6],
        "through b = a·x is missing": [12, 3, 12, 12],
        "through a = x + y is missing": [12, 3, 9, 12],
        "swapped": [3, 12, 21, 12],
        "line by line": [1, 1, 1, 1],
    },
    "02.2": {
        "add to what is there": overwrites,
        "from the last line to the first": forwards,
        "multiply each local derivative": local_only,
        "start with the loss itself": without_the_loss,
        "a dictionary": lambda tape: [1.0],
    },
    "02.3": {
        "the path with zero_grad": [1.6, 2.08, 2.464],
        "the 2 is missing": [1.3, 1.87, 2.653],
        "against the gradient": [0.4, -0.92, -3.224],
        "step 1": [1, 2, 3],
    },
}
