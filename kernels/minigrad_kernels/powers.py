"""e to the power of whole rows, for softmax: loops whose every step fills the vector registers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_kernels.launch import Loop

WIDE = 64
"""Classes from which a row fills the vector registers by itself."""

# float32's; for float64 the loops are compiled with float64's in their place.
Real, Bits = np.float32, np.int32
ONE, LOWEST, TURNED, SIGN = np.float32(1), np.int32(-(2**31)), np.int32(2**31 - 1), 31


def exp32(x: Any) -> Any:
    """e^x for float32 x <= 0, within 1.04 ulp; 0 below -87. It is 2^n · e^r with n whole and |r| <= ln(2) / 2.

    Adding 1.5 · 2^23 to x / ln 2 rounds it to n and leaves n in the lowest bits. ln 2 is subtracted in two parts,
    the first with so few digits that n times it is exact (Cody and Waite 1980, "Software manual for the
    elementary functions", chapter 6). e^r is near its Taylor polynomial of degree 6, with coefficients fitted
    to err least over the whole interval (by 0.04 ulp).
    """
    shifted = np.float32(x * np.float32(1.4426950408889634) + np.float32(12582912))
    n = shifted - np.float32(12582912)
    r = (x - n * np.float32(0.693359375)) - n * np.float32(-2.12194440054690583e-4)
    p = r * np.float32(0.0013951718574389815) + np.float32(0.008369598537683487)
    p = p * r + np.float32(0.0416661873459816)
    p = p * r + np.float32(0.16666512191295624)
    p = p * r + np.float32(0.5)
    p = p * r * r + r + np.float32(1)
    power_of_two = np.int32((shifted.view(np.int32) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(0) if x < np.float32(-87) else p * power_of_two


def exp64(x: Any) -> Any:
    """e^x."""
    return np.exp(x)


FUSED = frozenset({"contract"})  # multiplies and adds in one rounding: a third fewer instructions

exp = Loop(exp32, fastmath=FUSED)


def row_max(row: Any) -> Any:
    """Return the largest entry of a row, or a NaN where there is one with its sign bit off.

    Floats are ordered as their bits are, once those of the negative ones are turned over; and the maximum of
    whole numbers runs in vector registers, which that of floats, because of NaN, does not.
    """
    bits = row.view(Bits)
    top = LOWEST
    for j in range(bits.size):
        top = max(top, Bits(bits[j] ^ ((bits[j] >> SIGN) & TURNED)))
    return Bits(top ^ ((top >> SIGN) & TURNED)).view(Real)


def plus(a: Any, b: Any) -> Any:
    """a + b, in a sum whose terms may be taken in another order: as many sums as a vector register has places."""
    return a + b


def row_sum(row: Any) -> Any:
    """Return the sum of a row."""
    total = row[0]
    for j in range(1, row.size):
        total = plus(total, row[j])
    return total


def raise_row(row: Any, top: Any, powers: Any) -> Any:
    """powers_j = e^(row_j - top); return their sum."""
    total = ONE - ONE
    for j in range(row.size):
        power = exp(row[j] - top)
        powers[j] = power
        total = plus(total, power)
    return total


def exponentials(logits: Any, labels: Any, powers: Any, chosen: Any, totals: Any) -> None:
    """powers_ij = e^(z_ij - max z_i), their sum in ``totals``, and in ``chosen`` the exponent at each row's label."""
    rows, classes = logits.shape
    if classes >= WIDE:
        for i in range(rows):
            top = row_max(logits[i])
            chosen[i] = logits[i, labels[i]] - top
            totals[i] = raise_row(logits[i], top, powers[i])
        return
    for i in range(rows):
        top = row_max(logits[i])
        for j in range(classes):
            powers[i, j] = logits[i, j] - top
        chosen[i] = powers[i, labels[i]]
    flat = powers.reshape(-1)
    for k in range(flat.size):
        flat[k] = exp(flat[k])
    for i in range(rows):
        totals[i] = row_sum(powers[i])


def _compiled_for(real: Any, bits: Any, exponential: Any) -> Loop:
    """Return ``exponentials`` for one dtype."""
    info = np.iinfo(bits)
    largest = Loop(
        row_max, Real=real, Bits=bits, LOWEST=bits(info.min), TURNED=bits(info.max), SIGN=info.bits - 1
    )
    add = Loop(plus, fastmath=frozenset({"reassoc"}))
    power = Loop(exponential, fastmath=FUSED)
    return Loop(
        exponentials,
        exp=power,
        row_max=largest,
        row_sum=Loop(row_sum, plus=add),
        raise_row=Loop(raise_row, plus=add, exp=power, ONE=real(1)),
    )


EXPONENTIALS = {
    np.dtype(np.float32): _compiled_for(np.float32, np.int32, exp32),
    np.dtype(np.float64): _compiled_for(np.float64, np.int64, exp64),
}
"""``exponentials`` for each dtype."""
