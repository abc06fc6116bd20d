"""Answers to the exercises of tutorial 09, right and wrong; see the docstring of ``minigrad.exercises``."""

import numpy as np


def adam(theta, g, m, v, t, alpha, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def inside_the_root(theta, g, m, v, t, alpha, beta1, beta2, eps):
    _, m, v = adam(theta, g, m, v, t, alpha, beta1, beta2, eps)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - alpha * m_hat / np.sqrt(v_hat + eps), m, v


def uncorrected(theta, g, m, v, t, alpha, beta1, beta2, eps):
    _, m, v = adam(theta, g, m, v, t, alpha, beta1, beta2, eps)
    return theta - alpha * m / (np.sqrt(v) + eps), m, v


def corrected_state(theta, g, m, v, t, alpha, beta1, beta2, eps):
    new, m, v = adam(theta, g, m, v, t, alpha, beta1, beta2, eps)
    return new, m / (1 - beta1**t), v / (1 - beta2**t)


def counts_from_0(theta, g, m, v, t, alpha, beta1, beta2, eps):
    _, m, v = adam(theta, g, m, v, t, alpha, beta1, beta2, eps)
    m_hat, v_hat = m / (1 - beta1 ** (t - 1)), v / (1 - beta2 ** (t - 1))
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


SOLUTIONS = {
    "09.1": (-0.1, -0.1 + 0.1 * (0.04 / 0.19) / 4),
    "09.2": adam,
    "09.3": lambda eps, t, beta1, beta2: eps * (1 - beta2**t) ** 0.5,
}
WRONG = {
    "09.1": {
        "corrections 1 − β₁ᵗ and 1 − β₂ᵗ": (-0.31623, -0.29386),
        "as D2 prints it": (-0.12649, -0.12154),
        "by the root of v̂": (-0.025, -0.023684),
        "m remembers": (-0.1, 0.0),
        "those are the steps": (-0.1, 0.0052632),
        "make the table": (-4, 0),
    },
    "09.2": {
        "beside the root": inside_the_root,
        "the corrections are missing": uncorrected,
        "m̂ was returned as the state": corrected_state,
        "t counts from 1": counts_from_0,
        "return three arrays": lambda *args: adam(*args)[0],
    },
    "09.3": {
        "not beside v": lambda eps, t, beta1, beta2: eps * (1 - beta2**t),
        "the other way round": lambda eps, t, beta1, beta2: eps / (1 - beta2**t) ** 0.5,
        "is the trap": lambda eps, t, beta1, beta2: eps,
        "cancels": lambda eps, t, beta1, beta2: eps * (1 - beta2**t) ** 0.5 / (1 - beta1**t),
    },
}
PLACEHOLDERS = {"09.1": (None, None)}
