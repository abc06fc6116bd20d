"""Answers to the exercises of tutorial 10, right and wrong; see the docstring of ``minigrad.exercises``."""

from math import cos, pi


def warm_cosine(t, peak, warmup, total):
    if t < warmup:
        return (t + 1) / warmup * peak
    return peak / 2 * (1 + cos(pi * (t - warmup) / (total - warmup)))


def shaped(fall):
    def rate(t, peak, warmup, total):
        return warm_cosine(t, peak, warmup, total) if t < warmup else peak * fall(t, warmup, total)

    return rate


SOLUTIONS = {
    "10.1": 0.1,
    "10.2": warm_cosine,
    "10.3": lambda epoch, lr: lr * 0.1 if epoch > 0 and epoch % 10 == 0 else lr,
}
WRONG = {
    "10.1": {
        "it would be applied twice": 0.01,
        "and not 50": 1e-40,
        "the other way round": 1e-4,
        "would grow": 10,
        "the factor of one update": 0.01 ** (1 / 2000),
    },
    "10.2": {
        "(t + 1)/warmup, not t/warmup": lambda t, peak, warmup, total: (
            t / warmup * peak if t < warmup else warm_cosine(t, peak, warmup, total)
        ),
        "begin at t = warmup": shaped(lambda t, w, n: (1 + cos(pi * t / n)) / 2),
        "a whole turn": shaped(lambda t, w, n: (1 + cos(2 * pi * (t - w) / (n - w))) / 2),
        "from 1 to −1": shaped(lambda t, w, n: cos(pi * (t - w) / (n - w))),
        "there is no warm-up": lambda t, peak, warmup, total: warm_cosine(
            max(t, warmup), peak, warmup, total
        ),
    },
    "10.3": {
        "as printed": lambda epoch, lr: lr * 0.1 if epoch % 10 == 0 else lr,
        "all earlier tenths in it": lambda epoch, lr: lr * 0.1 ** (epoch // 10),
        "an epoch early": lambda epoch, lr: lr * 0.1 if epoch % 10 == 9 else lr,
        "once and then never": lambda epoch, lr: lr * 0.1 if epoch == 10 else lr,
        "written into the function": lambda epoch, lr: 0.001 * 0.1 ** (epoch // 10),
    },
}
