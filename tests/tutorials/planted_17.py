"""Tutorial 17: solutions, and wrong answers under words that their hints must contain."""


def renaming(first, second):
    def renamed(state):
        return {key.replace("fc1", first).replace("fc2", second): value for key, value in state.items()}

    return renamed


def from_keras(layer):
    return {"weight": layer["kernel"].T, "bias": layer["bias"]}


SOLUTIONS = {"17.1": from_keras, "17.2": renaming("0", "2"), "17.3": (-0.115, -0.16)}
WRONG = {
    "17.1": {
        "mixes the numbers up": lambda layer: {
            "weight": layer["kernel"].reshape(layer["kernel"].shape[::-1]),
            "bias": layer["bias"],
        },
        "still (in, out)": lambda layer: {"weight": layer["kernel"], "bias": layer["bias"]},
        "yours are kernel, bias": lambda layer: {"kernel": layer["kernel"].T, "bias": layer["bias"]},
    },
    "17.2": {
        "layer 1 is the ReLU": renaming("0", "1"),
        "still begin with fc": lambda state: state,
        "the model refuses it": renaming("2", "0"),
    },
    "17.3": {
        "swapped": (-0.16, -0.115),
        "the sign": (0.115, 0.16),
        "without momentum": (-0.11, -0.11),
        "the two differ": (-0.115, -0.115),
        "steps alone": (-0.015, -0.06),
    },
}
