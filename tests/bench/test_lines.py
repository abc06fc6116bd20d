from __future__ import annotations

from bench.lines import FILES, ROOT, lines_of_code


def test_code_is_counted_without_comments_and_docstrings() -> None:
    text = '"""About."""\n\nx = """two\nlines"""  # a comment\n\n# another\n'
    text += 'def f():\n    """Doc."""\n    return (\n        1\n    )\n'
    assert lines_of_code(text) == 2 + 1 + 3


def test_every_file_of_the_core_is_there() -> None:
    assert all((ROOT / "minigrad" / f"{name}.py").exists() for name in FILES)
