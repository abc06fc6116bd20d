"""The colours, each once: Okabe and Ito's (2008), which people with any colour vision can tell apart, and a page's."""

from __future__ import annotations

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
SKY, YELLOW, PURPLE = "#56B4E9", "#E69F00", "#CC79A7"
NAVY, INK, GREY, PALE, WHITE = "#00334F", "#222222", "#6B6B6B", "#E6E6E6", "#FFFFFF"
ABOVE, BELOW = ORANGE, BLUE
"""Numbers above and below 0."""

GROUND = ("#eceff2", "#0d1013")
"""What a page stands on, in light and in dark."""

THEME = {
    "bg": ("#fff", "#14181d"),
    "panel": ("#f5f7f9", "#1b2128"),
    "box": ("#fff", "#20272f"),
    "ink": ("#1a2027", "#e9edf1"),
    "muted": ("#5a6571", "#a3aeba"),
    "line": ("#cfd6dd", "#3a4550"),
    "edge": ("#8a95a1", "#768493"),
    "level": ("#9db4c3", "#4b5a66"),
    "mark": (BLUE, SKY),
    "fwd": ("#00775a", "#4fd1a5"),
    "bwd": ("#661f6a", "#e0a3dc"),
    "upd": ("#3b4651", "#dfe5ea"),
    "fwd-soft": ("#e0f4ee", "#12362b"),
    "bwd-soft": ("#f7ebf6", "#3a2139"),
    "upd-soft": ("#e5e9ed", "#333d47"),
    "above": (ABOVE, ABOVE),
    "below": (BELOW, BELOW),
}
"""Of every page, by name: the colour in light and in dark.

Green is forwards, purple backwards, grey the weights and their update; orange and blue are left to say above and
below 0.
"""
LIGHT, DARK = (";".join(f"--{name}:{pair[k]}" for name, pair in THEME.items()) for k in (0, 1))


def rgb(colour: str) -> tuple[int, ...]:
    """Return red, green and blue, 0 to 255, of a colour with six digits."""
    return tuple(bytes.fromhex(colour[1:]))


def pale(colour: str, share: float = 0.12) -> str:
    """Return a colour of which only a share is left, the rest white: as it is, for text to stand on."""
    return "#" + bytes(round(255 + share * (part - 255)) for part in rgb(colour)).hex()
