"""Expressions as formulas for people: in Unicode for a terminal, a picture or a page, and in LaTeX for the docs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from minigrad.symbols.expression import Call, Expression
from minigrad.symbols.printing import ATOM, Operator, Printer, Text, infix

_COMPARE, _ADD, _MULTIPLY, _UNARY, _POWER = range(1, 6)

SYMBOLS = {
    "theta": "θ",
    "eta": "η",
    "eta_t": "η_t",
    "alpha": "α",
    "alpha_t": "α_t",
    "beta1": "β₁",
    "beta2": "β₂",
    "eps": "ε",
    "eps_hat": "ε̂",
    "mu": "μ",
    "m_hat": "m̂",
    "v_hat": "v̂",
    "decay": "λ",
    "l2": "λ",
    "clip": "c",
}
"""How the names in formulas are written in papers; others stay as they are."""

_TIGHT = {
    "add": infix(" + ", _ADD),
    "subtract": infix(" − ", _ADD),
    "multiply": infix(" · ", _MULTIPLY),
    "divide": infix(" / ", _MULTIPLY),
    "negative": Operator("−", _UNARY, 0, _UNARY + 1),
    "power": Operator("^", _POWER, _POWER + 1, _POWER),
    "less": infix(" < ", _COMPARE, right=_ADD),
    "less_equal": infix(" ≤ ", _COMPARE, right=_ADD),
    "greater": infix(" > ", _COMPARE, right=_ADD),
    "greater_equal": infix(" ≥ ", _COMPARE, right=_ADD),
    "equal": infix(" = ", _COMPARE, right=_ADD),
    "not_equal": infix(" ≠ ", _COMPARE, right=_ADD),
}


class Unicode(Printer):
    """A formula in one line of text: ``θ − η · m̂ / (√(v̂) + ε)``.

    ``say`` gives the text of a name, by default its symbol; ``write`` that of a number.
    """

    minus = "−"
    operators: Mapping[str, Operator] = _TIGHT
    functions: Mapping[str, Callable[..., str]] = {
        "absolute": "|{}|".format,
        "sqrt": "√({})".format,
        "exp": "e^({})".format,
        "expm1": "e^({}) − 1".format,
        "log": "ln({})".format,
        "log1p": "ln(1 + {})".format,
        "maximum": "max({}, {})".format,
        "minimum": "min({}, {})".format,
        "where": "[{1} where {0}, else {2}]".format,
    }

    def __init__(
        self,
        named: Mapping[Expression, str] | None = None,
        say: Callable[[str], str] = lambda name: SYMBOLS.get(name, name),
        write: Callable[[float], str] = lambda value: f"{value:g}".replace("-", "−"),
    ) -> None:
        super().__init__(named)
        self.say, self.write = say, write

    def inside(self, tree: Expression, needed: int = 0) -> str:
        """See ``Printer.inside``; a name may stand for a negative number here, or one with an exponent."""
        text = super().inside(tree, needed)
        loose = text.startswith("−") or (text[:1].isdigit() and "e" in text)
        return self.enclosed(text) if needed > _UNARY and loose else text

    def name(self, name: str) -> str:
        """See ``Printer.name``."""
        return self.say(name)

    def number(self, value: float) -> Text:
        """See ``Printer.number``."""
        text = self.write(value)
        return text, _UNARY if text.startswith("−") else ATOM

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        if tree.function == "square":
            return f"{self.inside(tree.arguments[0], _POWER + 1)}²", _POWER
        if tree.function == "reciprocal":
            return f"1 / {self.inside(tree.arguments[0], _MULTIPLY + 1)}", _MULTIPLY
        return super().call(tree)


_GREEK = {"theta", "eta", "alpha", "beta", "mu", "lambda", "gamma", "rho", "epsilon", "sigma", "delta", "tau"}
_LATEX = {"eps": r"\epsilon", "decay": r"\lambda", "l2": r"\lambda", "clip": "c"}


def latex_name(name: str) -> str:
    r"""Return a name as LaTeX: ``\beta_{1}`` for beta1, ``\hat{m}`` for m_hat, ``\eta_{t}`` for eta_t."""
    if name in _LATEX:
        return _LATEX[name]
    if name.endswith("_hat"):
        return rf"\hat{{{latex_name(name.removesuffix('_hat'))}}}"
    base, _, index = name.partition("_")
    letters = base.rstrip("0123456789")
    index = ", ".join(part for part in (base[len(letters) :], index.replace("_", " ")) if part)
    body = rf"\{letters}" if letters in _GREEK else letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
    return f"{body}_{{{index}}}" if index else body


class Latex(Printer):
    r"""A formula as LaTeX: ``\theta - \eta \frac{\hat{m}}{\sqrt{\hat{v}} + \epsilon}``."""

    minus = "-"
    operators: Mapping[str, Operator] = {
        "add": infix(" + ", _ADD),
        "subtract": infix(" - ", _ADD),
        "multiply": infix(r" \, ", _MULTIPLY),
        "negative": Operator("-", _UNARY, 0, _UNARY + 1),
        "less": infix(" < ", _COMPARE, right=_ADD),
        "less_equal": infix(r" \le ", _COMPARE, right=_ADD),
        "greater": infix(" > ", _COMPARE, right=_ADD),
        "greater_equal": infix(r" \ge ", _COMPARE, right=_ADD),
        "equal": infix(" = ", _COMPARE, right=_ADD),
        "not_equal": infix(r" \ne ", _COMPARE, right=_ADD),
    }
    functions: Mapping[str, Callable[..., str]] = {
        "absolute": r"\left|{}\right|".format,
        "sqrt": r"\sqrt{{{}}}".format,
        "exp": r"e^{{{}}}".format,
        "log": r"\ln\left({}\right)".format,
        "log1p": r"\ln\left(1 + {}\right)".format,
        "maximum": r"\max\left({}, {}\right)".format,
        "minimum": r"\min\left({}, {}\right)".format,
        "reciprocal": r"\frac{{1}}{{{}}}".format,
        "divide": r"\frac{{{}}}{{{}}}".format,
        "where": r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}".format,
    }

    def name(self, name: str) -> str:
        """See ``Printer.name``."""
        return latex_name(name)

    def enclosed(self, text: str) -> str:
        """See ``Printer.enclosed``."""
        return rf"\left({text}\right)"

    def call(self, tree: Call) -> Text:
        """See ``Printer.call``."""
        if tree.function in ("square", "power"):
            base = self.inside(tree.arguments[0], _POWER + 1)
            exponent = "2" if tree.function == "square" else self.inside(tree.arguments[1])
            return f"{base}^{{{exponent}}}", _POWER
        arguments = ", ".join(map(self.inside, tree.arguments))
        return rf"\operatorname{{{tree.function}}}\left({arguments}\right)", ATOM


def unicode(tree: Expression, named: Mapping[Expression, str] | None = None) -> str:
    """Return an expression as a line of text."""
    return Unicode(named).text(tree)


def latex(tree: Expression, named: Mapping[Expression, str] | None = None) -> str:
    """Return an expression as LaTeX, without the dollar signs."""
    return Latex(named).text(tree)
