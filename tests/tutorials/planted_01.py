"""Tutorial 01: solutions, and wrong answers under words that their hints must contain."""

import numpy as np

SOLUTIONS = {
    "01.1": (-20.0, 10.0, 10.0),
    "01.2": lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
    "01.3": lambda x: np.sin(x**2) + 2 * x**2 * np.cos(x**2),
}
WRONG = {
    "01.1": {
        "the 2 is missing": (-10, 5, 5),
        "look at the last one": (-20, 10, -10),
        "2·e three times": (-10, -10, -10),
        "are swapped": (10, -20, 10),
        "work out e = w·x − t first": (1, 2, 3),
    },
    "01.2": {
        "quotient: compare": lambda f, x, h: (f(x + h) - f(x)) / h,
        "divide by that": lambda f, x, h: (f(x + h) - f(x - h)) / h,
        "sign is turned": lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h),
        "brackets": lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h,
    },
    "01.3": {
        "inner derivative": lambda x: np.sin(x**2) + x * np.cos(x**2),
        "x′·sin(x²) is missing": lambda x: 2 * x**2 * np.cos(x**2),
        "not u′·v′": lambda x: 2 * x * np.cos(x**2),
        "+cos": lambda x: np.sin(x**2) - 2 * x**2 * np.cos(x**2),
    },
}
