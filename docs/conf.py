"""Sphinx's settings for the site: ``python -m sphinx -W -j auto docs docs/_build/html`` builds it."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from minigrad import __version__  # noqa: E402 (found through the path above)

project = "minigrad"
author = "the minigrad authors"
copyright = "the minigrad authors, MIT licence"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "docstrings",
    "generated",
    "maths",
]
exclude_patterns = ["_build", "_ext", "_generated", "_static", "jupyter_execute"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# A tutorial is executed when its page is built, by this interpreter and in a folder of its own. A cell that raises
# fails the build.
nb_execution_mode = "auto"
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True

smartquotes_action = "q"  # -- is the beginning of an option
highlight_language = "text"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {
    name: name for name in ("Array", "ArrayLike", "DTypeLike", "HostArray", "NDArray", "Part")
}
napoleon_use_rtype = False
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = "minigrad"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_extra_path = ["_generated/site"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
pygments_style = "default"
pygments_dark_style = "github-dark"
_FONTS = {
    "font-stack": 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
    "font-stack--monospace": 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
}
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2", **_FONTS},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
}


def setup(app: object) -> None:
    """Leave out of the list of sources what has no page there: ``dict[str, int]`` is from builtins, which has none."""

    def drop(app: object) -> list[object]:
        environment = app.env  # type: ignore[attr-defined]
        found = getattr(environment, "_viewcode_modules", {})
        environment._viewcode_modules = {name: entry for name, entry in found.items() if entry}
        return []

    app.connect("html-collect-pages", drop, priority=100)  # type: ignore[attr-defined]
