"""Tutorial 04: solutions, and wrong answers under words that their hints must contain."""


def scaled(X, W, s, G):
    return (G * s).T @ X, (G * (X @ W.T)).sum(axis=0), G.sum(axis=0)


# x = (1, -1): z = (4, 2.5), a = (4, 2.5), p = 8 + 10 + 0.5 = 18.5, p - t = 17.5; to z: (35, 70)
SOLUTIONS = {
    "04.1": (101_770, 32 * (2 * 784 * 128 + 3 * 128 * 10)),
    "04.2": scaled,
    "04.3": ([[35, -35], [70, -70]], [35, 70]),
}
WRONG = {
    "04.1": {
        "the biases": (101_632, 6_545_408),
        "each layer has in · out": (1000, 6_545_408),
        "forward pass alone": (101_770, 3_252_224),
        "nothing to hand to the pixels": (101_770, 9_756_672),
        "the batch has 32": (101_770, 204_544),
        "as many for GᵀX": (101_770, 5),
    },
    "04.2": {
        "s is missing": lambda X, W, s, G: (G.T @ X, *scaled(X, W, s, G)[1:]),
        "dW is transposed": lambda X, W, s, G: (scaled(X, W, s, G)[0].T, *scaled(X, W, s, G)[1:]),
        "ds: sum over the batch": lambda X, W, s, G: (scaled(X, W, s, G)[0], G * (X @ W.T), G.sum(axis=0)),
        "not G alone": lambda X, W, s, G: (scaled(X, W, s, G)[0], G.sum(axis=0), G.sum(axis=0)),
        "after the scaling": lambda X, W, s, G: (*scaled(X, W, s, G)[:2], (G * s).sum(axis=0)),
        "three arrays": lambda X, W, s, G: G,
    },
    "04.3": {
        "but not in this one": ([[35, -35], [0, 0]], [35, 0]),
        "the other sign": ([[35, 35], [70, 70]], [35, 70]),
        "multiplied by v": ([[17.5, -17.5], [17.5, -17.5]], [17.5, 17.5]),
        "a row for each unit": ([[35, 70], [-35, -70]], [35, 70]),
        "db: that is the number": ([[35, -35], [70, -70]], [17.5, 17.5]),
    },
}
