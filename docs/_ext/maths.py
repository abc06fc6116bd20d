"""Formulas by KaTeX, from the copy in ``_static/katex``: the site asks nobody for a script or a font.

Script, style and fonts are one version of one package. Where scripts are off, the TeX source stays readable.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

FIRST = 400  # priority of the files: KaTeX comes before what uses it


def aligned(tex: str) -> str:
    """Return display maths as KaTeX wants it: columns and lines need an environment."""
    if r"\begin{" not in tex and ("&" in tex or r"\\" in tex):
        return rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    start = translator.starttag(node, "span", "", CLASS="math")
    translator.body.append(f"{start}{translator.encode(node.astext())}</span>")
    raise nodes.SkipNode


def display(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that stands by itself."""
    start = translator.starttag(node, "div", "", CLASS="math")
    translator.body.append(f"{start}{translator.encode(aligned(node.astext()))}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer and its files."""
    app.add_html_math_renderer("katex", (inline, None), (display, None))
    app.add_css_file("katex/katex.min.css")
    app.add_js_file("katex/katex.min.js", priority=FIRST, loading_method="defer")
    app.add_js_file("maths.js", priority=FIRST + 1, loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
