"""The update rules, made from minigrad/optim/formulas.py by `python -m minigrad.optim.generate`; do not edit.

Of each rule: the reference for NumPy, the loop for Numba, which does the same operations in the same order, and the
coefficients of step t = 1, 2, …, of which each is worked out in float64. See ``updates`` for what they share.
"""

# mypy: ignore-errors
import math

import numpy as np

from minigrad_kernels.updates import update_rule


def sgd_reference(theta, g, coefficients):
    """g ← c · g + λ · θ; θ ← θ − η · g."""
    clip, l2, eta = coefficients[0], coefficients[1], coefficients[2]
    new_g = clip * g + l2 * theta
    new_theta = theta - eta * new_g
    theta[...] = new_theta


def sgd_loop(theta, g, coefficients):
    clip, l2, eta = coefficients[0], coefficients[1], coefficients[2]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        g_i = clip * g_i + l2 * theta_i
        theta_i = theta_i - eta * g_i
        theta[i] = theta_i


def sgd_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        rate,  # eta
    )


sgd = update_rule(
    "sgd",
    "aae194ca",
    (
        "clip", "l2", "eta",
    ),
    sgd_reference, sgd_loop, sgd_coefficients,
)


def momentum_reference(theta, g, b, coefficients):
    """g ← c · g + λ · θ; b ← μ · b + g; θ ← θ − η · b."""
    clip, l2, mu, eta = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    new_g = clip * g + l2 * theta
    new_b = mu * b + new_g
    new_theta = theta - eta * new_b
    theta[...], b[...] = new_theta, new_b


def momentum_loop(theta, g, b, coefficients):
    clip, l2, mu, eta = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        b_i = b[i]
        g_i = clip * g_i + l2 * theta_i
        b_i = mu * b_i + g_i
        theta_i = theta_i - eta * b_i
        theta[i] = theta_i
        b[i] = b_i


def momentum_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.mu,  # mu
        rate,  # eta
    )


momentum = update_rule(
    "momentum",
    "7a690298",
    (
        "clip", "l2", "mu", "eta",
    ),
    momentum_reference, momentum_loop, momentum_coefficients,
)


def nesterov_reference(theta, g, b, coefficients):
    """g ← c · g + λ · θ; b ← μ · b + g; θ ← θ − η · (g + μ · b)."""
    clip, l2, mu, eta = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    new_g = clip * g + l2 * theta
    new_b = mu * b + new_g
    new_theta = theta - eta * (new_g + mu * new_b)
    theta[...], b[...] = new_theta, new_b


def nesterov_loop(theta, g, b, coefficients):
    clip, l2, mu, eta = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        b_i = b[i]
        g_i = clip * g_i + l2 * theta_i
        b_i = mu * b_i + g_i
        theta_i = theta_i - eta * (g_i + mu * b_i)
        theta[i] = theta_i
        b[i] = b_i


def nesterov_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.mu,  # mu
        rate,  # eta
    )


nesterov = update_rule(
    "nesterov",
    "043f2987",
    (
        "clip", "l2", "mu", "eta",
    ),
    nesterov_reference, nesterov_loop, nesterov_coefficients,
)


def adagrad_reference(theta, g, s, coefficients):
    """g ← c · g + λ · θ; s ← s + g²; θ ← θ − η · g / (√(s) + ε)."""
    clip, l2, eta, eps = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    new_g = clip * g + l2 * theta
    new_s = s + new_g**2
    new_theta = theta - eta * new_g / (np.sqrt(new_s) + eps)
    theta[...], s[...] = new_theta, new_s


def adagrad_loop(theta, g, s, coefficients):
    clip, l2, eta, eps = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        s_i = s[i]
        g_i = clip * g_i + l2 * theta_i
        s_i = s_i + g_i * g_i
        theta_i = theta_i - eta * g_i / (np.sqrt(s_i) + eps)
        theta[i] = theta_i
        s[i] = s_i


def adagrad_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        rate,  # eta
        settings.eps,  # eps
    )


adagrad = update_rule(
    "adagrad",
    "30b69a90",
    (
        "clip", "l2", "eta", "eps",
    ),
    adagrad_reference, adagrad_loop, adagrad_coefficients,
)


def rmsprop_reference(theta, g, v, coefficients):
    """g ← c · g + λ · θ; v ← α · v + (1 − α) · g²; θ ← θ − η · g / (√(v) + ε)."""
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    eta, eps = coefficients[4], coefficients[5]
    new_g = clip * g + l2 * theta
    new_v = alpha * v + one_minus_alpha * new_g**2
    new_theta = theta - eta * new_g / (np.sqrt(new_v) + eps)
    theta[...], v[...] = new_theta, new_v


def rmsprop_loop(theta, g, v, coefficients):
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    eta, eps = coefficients[4], coefficients[5]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        v_i = v[i]
        g_i = clip * g_i + l2 * theta_i
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i)
        theta_i = theta_i - eta * g_i / (np.sqrt(v_i) + eps)
        theta[i] = theta_i
        v[i] = v_i


def rmsprop_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.alpha,  # alpha
        1 - settings.alpha,  # one_minus_alpha
        rate,  # eta
        settings.eps,  # eps
    )


rmsprop = update_rule(
    "rmsprop",
    "1c2d75ca",
    (
        "clip", "l2", "alpha", "one_minus_alpha", "eta", "eps",
    ),
    rmsprop_reference, rmsprop_loop, rmsprop_coefficients,
)


def rmsprop_momentum_reference(theta, g, v, b, coefficients):
    """g ← c · g + λ · θ; v ← α · v + (1 − α) · g²; b ← μ · b + g / (√(v) + ε); θ ← θ − η · b."""
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    mu, eps, eta = coefficients[4], coefficients[5], coefficients[6]
    new_g = clip * g + l2 * theta
    new_v = alpha * v + one_minus_alpha * new_g**2
    new_b = mu * b + new_g / (np.sqrt(new_v) + eps)
    new_theta = theta - eta * new_b
    theta[...], v[...], b[...] = new_theta, new_v, new_b


def rmsprop_momentum_loop(theta, g, v, b, coefficients):
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    mu, eps, eta = coefficients[4], coefficients[5], coefficients[6]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        v_i = v[i]
        b_i = b[i]
        g_i = clip * g_i + l2 * theta_i
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i)
        b_i = mu * b_i + g_i / (np.sqrt(v_i) + eps)
        theta_i = theta_i - eta * b_i
        theta[i] = theta_i
        v[i] = v_i
        b[i] = b_i


def rmsprop_momentum_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.alpha,  # alpha
        1 - settings.alpha,  # one_minus_alpha
        settings.mu,  # mu
        settings.eps,  # eps
        rate,  # eta
    )


rmsprop_momentum = update_rule(
    "rmsprop_momentum",
    "d34abd1c",
    (
        "clip", "l2", "alpha", "one_minus_alpha", "mu", "eps", "eta",
    ),
    rmsprop_momentum_reference, rmsprop_momentum_loop, rmsprop_momentum_coefficients,
)


def rmsprop_centered_reference(theta, g, v, m, coefficients):
    """g ← c · g + λ · θ; v ← α · v + (1 − α) · g²; m ← α · m + (1 − α) · g; θ ← θ − η · g / (√(v − m²) + ε)."""
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    eta, eps = coefficients[4], coefficients[5]
    new_g = clip * g + l2 * theta
    new_v = alpha * v + one_minus_alpha * new_g**2
    new_m = alpha * m + one_minus_alpha * new_g
    new_theta = theta - eta * new_g / (np.sqrt(new_v - new_m**2) + eps)
    theta[...], v[...], m[...] = new_theta, new_v, new_m


def rmsprop_centered_loop(theta, g, v, m, coefficients):
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    eta, eps = coefficients[4], coefficients[5]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        v_i = v[i]
        m_i = m[i]
        g_i = clip * g_i + l2 * theta_i
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i)
        m_i = alpha * m_i + one_minus_alpha * g_i
        theta_i = theta_i - eta * g_i / (np.sqrt(v_i - m_i * m_i) + eps)
        theta[i] = theta_i
        v[i] = v_i
        m[i] = m_i


def rmsprop_centered_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.alpha,  # alpha
        1 - settings.alpha,  # one_minus_alpha
        rate,  # eta
        settings.eps,  # eps
    )


rmsprop_centered = update_rule(
    "rmsprop_centered",
    "6ab282eb",
    (
        "clip", "l2", "alpha", "one_minus_alpha", "eta", "eps",
    ),
    rmsprop_centered_reference, rmsprop_centered_loop, rmsprop_centered_coefficients,
)


def rmsprop_centered_momentum_reference(theta, g, v, m, b, coefficients):
    """g ← c · g + λ · θ; v ← α · v + (1 − α) · g²; m ← α · m + (1 − α) · g; b ← μ · b + g / (√(v − m²) + ε); θ ← θ − η · b."""
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    mu, eps, eta = coefficients[4], coefficients[5], coefficients[6]
    new_g = clip * g + l2 * theta
    new_v = alpha * v + one_minus_alpha * new_g**2
    new_m = alpha * m + one_minus_alpha * new_g
    new_b = mu * b + new_g / (np.sqrt(new_v - new_m**2) + eps)
    new_theta = theta - eta * new_b
    theta[...], v[...], m[...], b[...] = new_theta, new_v, new_m, new_b


def rmsprop_centered_momentum_loop(theta, g, v, m, b, coefficients):
    clip, l2, alpha, one_minus_alpha = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    mu, eps, eta = coefficients[4], coefficients[5], coefficients[6]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        v_i = v[i]
        m_i = m[i]
        b_i = b[i]
        g_i = clip * g_i + l2 * theta_i
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i)
        m_i = alpha * m_i + one_minus_alpha * g_i
        b_i = mu * b_i + g_i / (np.sqrt(v_i - m_i * m_i) + eps)
        theta_i = theta_i - eta * b_i
        theta[i] = theta_i
        v[i] = v_i
        m[i] = m_i
        b[i] = b_i


def rmsprop_centered_momentum_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.alpha,  # alpha
        1 - settings.alpha,  # one_minus_alpha
        settings.mu,  # mu
        settings.eps,  # eps
        rate,  # eta
    )


rmsprop_centered_momentum = update_rule(
    "rmsprop_centered_momentum",
    "dbf8e4fe",
    (
        "clip", "l2", "alpha", "one_minus_alpha", "mu", "eps", "eta",
    ),
    rmsprop_centered_momentum_reference, rmsprop_centered_momentum_loop, rmsprop_centered_momentum_coefficients,
)


def adam_reference(theta, g, m, v, coefficients):
    """g ← c · g + λ · θ; m ← β₁ · m + (1 − β₁) · g; v ← β₂ · v + (1 − β₂) · g²; m̂ = m / (1 − β₁^t); v̂ = v / (1 − β₂^t); θ ← θ − α · m̂ / (√(v̂) + ε)."""
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta1_to_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta2_to_t, alpha, eps = coefficients[7], coefficients[8], coefficients[9]
    new_g = clip * g + l2 * theta
    new_m = beta1 * m + one_minus_beta1 * new_g
    new_v = beta2 * v + one_minus_beta2 * new_g**2
    m_hat = new_m / one_minus_beta1_to_t
    v_hat = new_v / one_minus_beta2_to_t
    new_theta = theta - alpha * m_hat / (np.sqrt(v_hat) + eps)
    theta[...], m[...], v[...] = new_theta, new_m, new_v


def adam_loop(theta, g, m, v, coefficients):
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta1_to_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta2_to_t, alpha, eps = coefficients[7], coefficients[8], coefficients[9]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        m_i = m[i]
        v_i = v[i]
        g_i = clip * g_i + l2 * theta_i
        m_i = beta1 * m_i + one_minus_beta1 * g_i
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i)
        m_hat = m_i / one_minus_beta1_to_t
        v_hat = v_i / one_minus_beta2_to_t
        theta_i = theta_i - alpha * m_hat / (np.sqrt(v_hat) + eps)
        theta[i] = theta_i
        m[i] = m_i
        v[i] = v_i


def adam_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.beta1,  # beta1
        1 - settings.beta1,  # one_minus_beta1
        settings.beta2,  # beta2
        1 - settings.beta2,  # one_minus_beta2
        1 - settings.beta1**t,  # one_minus_beta1_to_t
        1 - settings.beta2**t,  # one_minus_beta2_to_t
        rate,  # alpha
        settings.eps,  # eps
    )


adam = update_rule(
    "adam",
    "97946a7d",
    (
        "clip", "l2", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "one_minus_beta1_to_t",
        "one_minus_beta2_to_t", "alpha", "eps",
    ),
    adam_reference, adam_loop, adam_coefficients,
)


def adamw_reference(theta, g, m, v, coefficients):
    """g ← c · g + λ · θ; m ← β₁ · m + (1 − β₁) · g; v ← β₂ · v + (1 − β₂) · g²; m̂ = m / (1 − β₁^t); v̂ = v / (1 − β₂^t); θ ← θ − η · (m̂ / (√(v̂) + ε) + λ · θ)."""
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta1_to_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta2_to_t, eps, decay = coefficients[7], coefficients[8], coefficients[9]
    eta = coefficients[10]
    new_g = clip * g + l2 * theta
    new_m = beta1 * m + one_minus_beta1 * new_g
    new_v = beta2 * v + one_minus_beta2 * new_g**2
    m_hat = new_m / one_minus_beta1_to_t
    v_hat = new_v / one_minus_beta2_to_t
    new_theta = theta - eta * (m_hat / (np.sqrt(v_hat) + eps) + decay * theta)
    theta[...], m[...], v[...] = new_theta, new_m, new_v


def adamw_loop(theta, g, m, v, coefficients):
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta1_to_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta2_to_t, eps, decay = coefficients[7], coefficients[8], coefficients[9]
    eta = coefficients[10]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        m_i = m[i]
        v_i = v[i]
        g_i = clip * g_i + l2 * theta_i
        m_i = beta1 * m_i + one_minus_beta1 * g_i
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i)
        m_hat = m_i / one_minus_beta1_to_t
        v_hat = v_i / one_minus_beta2_to_t
        theta_i = theta_i - eta * (m_hat / (np.sqrt(v_hat) + eps) + decay * theta_i)
        theta[i] = theta_i
        m[i] = m_i
        v[i] = v_i


def adamw_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.beta1,  # beta1
        1 - settings.beta1,  # one_minus_beta1
        settings.beta2,  # beta2
        1 - settings.beta2,  # one_minus_beta2
        1 - settings.beta1**t,  # one_minus_beta1_to_t
        1 - settings.beta2**t,  # one_minus_beta2_to_t
        settings.eps,  # eps
        settings.decay,  # decay
        rate,  # eta
    )


adamw = update_rule(
    "adamw",
    "f9d633ca",
    (
        "clip", "l2", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "one_minus_beta1_to_t",
        "one_minus_beta2_to_t", "eps", "decay", "eta",
    ),
    adamw_reference, adamw_loop, adamw_coefficients,
)


def amsgrad_reference(theta, g, m, v, v_max, coefficients):
    """g ← c · g + λ · θ; m ← β₁ · m + (1 − β₁) · g; v ← β₂ · v + (1 − β₂) · g²; v_max ← max(v_max, v); m̂ = m / (1 − β₁^t); v̂ = v_max / (1 − β₂^t); θ ← θ − α · m̂ / (√(v̂) + ε)."""
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta1_to_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta2_to_t, alpha, eps = coefficients[7], coefficients[8], coefficients[9]
    new_g = clip * g + l2 * theta
    new_m = beta1 * m + one_minus_beta1 * new_g
    new_v = beta2 * v + one_minus_beta2 * new_g**2
    new_v_max = np.maximum(v_max, new_v)
    m_hat = new_m / one_minus_beta1_to_t
    v_hat = new_v_max / one_minus_beta2_to_t
    new_theta = theta - alpha * m_hat / (np.sqrt(v_hat) + eps)
    theta[...], m[...], v[...], v_max[...] = new_theta, new_m, new_v, new_v_max


def amsgrad_loop(theta, g, m, v, v_max, coefficients):
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta1_to_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta2_to_t, alpha, eps = coefficients[7], coefficients[8], coefficients[9]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        m_i = m[i]
        v_i = v[i]
        v_max_i = v_max[i]
        g_i = clip * g_i + l2 * theta_i
        m_i = beta1 * m_i + one_minus_beta1 * g_i
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i)
        v_max_i = np.maximum(v_max_i, v_i)
        m_hat = m_i / one_minus_beta1_to_t
        v_hat = v_max_i / one_minus_beta2_to_t
        theta_i = theta_i - alpha * m_hat / (np.sqrt(v_hat) + eps)
        theta[i] = theta_i
        m[i] = m_i
        v[i] = v_i
        v_max[i] = v_max_i


def amsgrad_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.beta1,  # beta1
        1 - settings.beta1,  # one_minus_beta1
        settings.beta2,  # beta2
        1 - settings.beta2,  # one_minus_beta2
        1 - settings.beta1**t,  # one_minus_beta1_to_t
        1 - settings.beta2**t,  # one_minus_beta2_to_t
        rate,  # alpha
        settings.eps,  # eps
    )


amsgrad = update_rule(
    "amsgrad",
    "3d24dec4",
    (
        "clip", "l2", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "one_minus_beta1_to_t",
        "one_minus_beta2_to_t", "alpha", "eps",
    ),
    amsgrad_reference, amsgrad_loop, amsgrad_coefficients,
)


def nadam_reference(theta, g, m, v, coefficients):
    """g ← c · g + λ · θ; m ← β₁ · m + (1 − β₁) · g; v ← β₂ · v + (1 − β₂) · g²; v̂ = v / (1 − β₂^t); share_m = mu_next / (1 − mu_product · mu_next); share_g = (1 − μ) / (1 − mu_product); m̂ = share_m · m + share_g · g; θ ← θ − η · m̂ / (√(v̂) + ε)."""
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta2_to_t = coefficients[4], coefficients[5], coefficients[6]
    share_m, share_g, eta = coefficients[7], coefficients[8], coefficients[9]
    eps = coefficients[10]
    new_g = clip * g + l2 * theta
    new_m = beta1 * m + one_minus_beta1 * new_g
    new_v = beta2 * v + one_minus_beta2 * new_g**2
    v_hat = new_v / one_minus_beta2_to_t
    m_hat = share_m * new_m + share_g * new_g
    new_theta = theta - eta * m_hat / (np.sqrt(v_hat) + eps)
    theta[...], m[...], v[...] = new_theta, new_m, new_v


def nadam_loop(theta, g, m, v, coefficients):
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, one_minus_beta2_to_t = coefficients[4], coefficients[5], coefficients[6]
    share_m, share_g, eta = coefficients[7], coefficients[8], coefficients[9]
    eps = coefficients[10]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        m_i = m[i]
        v_i = v[i]
        g_i = clip * g_i + l2 * theta_i
        m_i = beta1 * m_i + one_minus_beta1 * g_i
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i)
        v_hat = v_i / one_minus_beta2_to_t
        m_hat = share_m * m_i + share_g * g_i
        theta_i = theta_i - eta * m_hat / (np.sqrt(v_hat) + eps)
        theta[i] = theta_i
        m[i] = m_i
        v[i] = v_i


def nadam_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.beta1,  # beta1
        1 - settings.beta1,  # one_minus_beta1
        settings.beta2,  # beta2
        1 - settings.beta2,  # one_minus_beta2
        1 - settings.beta2**t,  # one_minus_beta2_to_t
        settings.mu_next / (1 - settings.mu_product * settings.mu_next),  # share_m
        (1 - settings.mu) / (1 - settings.mu_product),  # share_g
        rate,  # eta
        settings.eps,  # eps
    )


nadam = update_rule(
    "nadam",
    "0de235e1",
    (
        "clip", "l2", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "one_minus_beta2_to_t", "share_m",
        "share_g", "eta", "eps",
    ),
    nadam_reference, nadam_loop, nadam_coefficients,
)


def lion_reference(theta, g, m, coefficients):
    """g ← c · g + λ · θ; direction = sign(β₁ · m + (1 − β₁) · g); m ← β₂ · m + (1 − β₂) · g; θ ← θ − η · (direction + λ · θ)."""
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, decay = coefficients[4], coefficients[5], coefficients[6]
    eta = coefficients[7]
    new_g = clip * g + l2 * theta
    direction = np.sign(beta1 * m + one_minus_beta1 * new_g)
    new_m = beta2 * m + one_minus_beta2 * new_g
    new_theta = theta - eta * (direction + decay * theta)
    theta[...], m[...] = new_theta, new_m


def lion_loop(theta, g, m, coefficients):
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, decay = coefficients[4], coefficients[5], coefficients[6]
    eta = coefficients[7]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        m_i = m[i]
        g_i = clip * g_i + l2 * theta_i
        direction = np.sign(beta1 * m_i + one_minus_beta1 * g_i) + np.int8(0)
        m_i = beta2 * m_i + one_minus_beta2 * g_i
        theta_i = theta_i - eta * (direction + decay * theta_i)
        theta[i] = theta_i
        m[i] = m_i


def lion_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.beta1,  # beta1
        1 - settings.beta1,  # one_minus_beta1
        settings.beta2,  # beta2
        1 - settings.beta2,  # one_minus_beta2
        settings.decay,  # decay
        rate,  # eta
    )


lion = update_rule(
    "lion",
    "09381a97",
    (
        "clip", "l2", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "decay", "eta",
    ),
    lion_reference, lion_loop, lion_coefficients,
)


def adam_as_printed_reference(theta, g, m, v, coefficients):
    """g ← c · g + λ · θ; m ← β₁ · m + (1 − β₁) · g; v ← β₂ · v + (1 − β₂) · g²; η_t = η · √(1 − β₂^t) / (1 − β₁^t); θ ← θ − η_t · m / (1 − β₁^t)."""
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, eta_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta1_to_t = coefficients[7]
    new_g = clip * g + l2 * theta
    new_m = beta1 * m + one_minus_beta1 * new_g
    new_v = beta2 * v + one_minus_beta2 * new_g**2
    new_theta = theta - eta_t * new_m / one_minus_beta1_to_t
    theta[...], m[...], v[...] = new_theta, new_m, new_v


def adam_as_printed_loop(theta, g, m, v, coefficients):
    clip, l2, beta1, one_minus_beta1 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    beta2, one_minus_beta2, eta_t = coefficients[4], coefficients[5], coefficients[6]
    one_minus_beta1_to_t = coefficients[7]
    for i in range(theta.size):
        theta_i = theta[i]
        g_i = g[i]
        m_i = m[i]
        v_i = v[i]
        g_i = clip * g_i + l2 * theta_i
        m_i = beta1 * m_i + one_minus_beta1 * g_i
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i)
        theta_i = theta_i - eta_t * m_i / one_minus_beta1_to_t
        theta[i] = theta_i
        m[i] = m_i
        v[i] = v_i


def adam_as_printed_coefficients(settings, clip, l2, rate, t):
    return (
        clip,  # clip
        l2,  # l2
        settings.beta1,  # beta1
        1 - settings.beta1,  # one_minus_beta1
        settings.beta2,  # beta2
        1 - settings.beta2,  # one_minus_beta2
        rate * math.sqrt(1 - settings.beta2**t) / (1 - settings.beta1**t),  # eta_t
        1 - settings.beta1**t,  # one_minus_beta1_to_t
    )


adam_as_printed = update_rule(
    "adam_as_printed",
    "38212801",
    (
        "clip", "l2", "beta1", "one_minus_beta1", "beta2", "one_minus_beta2", "eta_t", "one_minus_beta1_to_t",
    ),
    adam_as_printed_reference, adam_as_printed_loop, adam_as_printed_coefficients,
)


RULES = {rule.name: rule for rule in (sgd, momentum, nesterov, adagrad, rmsprop, rmsprop_momentum, rmsprop_centered, rmsprop_centered_momentum, adam, adamw, amsgrad, nadam, lion, adam_as_printed)}
