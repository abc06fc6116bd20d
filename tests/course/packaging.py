"""A class of submissions in every kind of packaging: files as editors write them, and what is no submission at all.

``write`` puts them into a folder and returns, by student, what each must come to: all points, ``LOST`` in one test, or
words of the trouble.
"""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import replace
from pathlib import Path

from minigrad.course.assignment import Assignment, released
from minigrad.course.cells import to_notebook, to_percent

ALL, LOST = "all points", "tanh is lost"
RIGHT = "return g * (1 - y * y)"
EXTRA = {
    "calls": "print(tanh_vjp(np.ones(3), np.ones(3)))",
    "hangs": "while True: pass",
    "asks": "name = input()",
    "leaves": "exit()",
    "fails": "1 / 0",
    "is no Python": "this is what I thought",
    "tests on its own": "assert tanh_vjp(1.0, 0.5) == 0.75",
}
SPECIAL = [
    "%%time\n",
    "np.sin?\n",
    "f = !ls\n",
    "t = %timeit -o sum([1])\n",
    "import asyncio\nawait asyncio.sleep(0)\n",
]
NOTES = "\n".join(f"    # note {k}: what was thought before" for k in range(1500)).strip() + "\n    "


def texts(one: Assignment) -> tuple[str, str]:
    """What a student who has solved everything hands in, in both formats."""
    solved = {cell.name: cell.source for cell in one.cells if cell.is_solution}
    cells = [replace(cell, source=solved.get(cell.name, cell.source)) for cell in released(one)]
    return to_percent(cells), to_notebook(cells)


def right_files(one: Assignment) -> dict[str, bytes]:
    """Right solutions, by the names of their files."""
    return packed(*texts(one))


def packed(text: str, notebook: str) -> dict[str, bytes]:
    """Return a solution, given in both formats, in every kind of packaging, by the names of the files."""
    content = json.loads(notebook)
    files: dict[str, str | bytes] = {
        "plain.py": text,
        "notebook.ipynb": notebook,
        "UPPER.PY": text,
        "Upper.IPYNB": notebook,
        "mark.py": b"\xef\xbb\xbf" + text.encode(),
        "mark.ipynb.ipynb": b"\xef\xbb\xbf" + notebook.encode(),
        "utf16.py": text.encode("utf-16"),
        "utf16be.ipynb": notebook.encode("utf-16-be"),
        "utf32.py": text.encode("utf-32"),
        "latin.py": ("# coding: latin-1\n" + text).encode("latin-1", "replace") + "# ä".encode("latin-1"),
        "windows.py": text.encode("cp1252", "replace") + "# ä".encode("cp1252"),
        "crlf.py": text.replace("\n", "\r\n"),
        "cr.py": text.replace("\n", "\r"),
        "crlf.ipynb.ipynb": notebook.replace("\\n", "\\r\\n"),
        "spaces.py": text.replace("    return", "\u00a0\u00a0\u00a0\u00a0return"),
        "separators.py": text.replace(RIGHT, f"s = 'a\u2028b'  # \x0c \x85\n    {RIGHT}"),
        "half.ipynb": notebook.replace(RIGHT, f"s = 'HALF'\\n\",\n    \"    {RIGHT}").replace(
            "HALF", "\\ud83d"
        ),
        "long.py": text.replace(RIGHT, NOTES + RIGHT),
        "stripped.py": re.sub(r"# %% nbgrader=.*", "# %%", text),
        "broken.py": re.sub(r"# %% nbgrader=\{", "# %% nbgrader={{", text),
        "jupyterlab.py": re.sub(
            r"(# %% nbgrader=.*)", r'\1 editable=true slideshow={"slide_type": ""}', text
        ),
        "script.py": re.sub(r"# %%.*", "", text),
        "exported.py": re.sub(r"# %%( nbgrader=.*)?$", "# In[3]:\n", text, flags=re.MULTILINE),
        "vscode.py": re.sub(r"# %% nbgrader=.*", "#%%", text).replace("# %% [markdown]", "#%%[markdown]"),
        "commented magic.py": text.replace("def tanh_vjp", "# %%time\ndef tanh_vjp"),
        "=1+1.py": text,
        "-rf.py": text,
        "con.py": text,
        "nul.py": text,
        " spaces .py": text,
        "Ada.py": text,
        "ada.py": text,
        "n" * 240 + ".py": text,
        "é" * 120 + ".py": text,
        "line\nbreak.py": text,
    }
    for k, before in enumerate(SPECIAL):
        changed = json.loads(notebook)
        for cell in changed["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "tanh":
                cell["source"] = [before, *cell["source"]]
        files[f"special{k}.ipynb"] = json.dumps(changed)
    for what, code in EXTRA.items():
        files[f"{what}.py"] = f"{text}\n# %%\n{code}\n"
        files[f"{what} first.py"] = f"# %%\n{code}\n\n{text}"
    pictures = json.loads(notebook)
    data = {"image/png": "A" * 5_000_000, "application/json": [123454321]}
    pictures["cells"][3]["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    files["pictures.ipynb"] = json.dumps(pictures).replace("123454321", "9" * 6000)
    files["format3.ipynb"] = json.dumps(_format3(content))
    for name, metadata in (("colab", _COLAB), ("vscode", _VSCODE), ("deepnote", _DEEPNOTE), ("stripped", {})):
        theirs = json.loads(notebook)
        for cell in theirs["cells"]:
            tags = {} if name != "colab" else cell["metadata"]
            cell["metadata"] = metadata | tags
        files[f"{name}.ipynb.ipynb"] = json.dumps(theirs | {"nbformat_minor": 0})
    return {name: made if isinstance(made, bytes) else made.encode() for name, made in files.items()}


_COLAB = {"id": "x1", "colab": {"base_uri": "https://x/"}, "executionInfo": {"status": "ok"}, "outputId": "y"}
_VSCODE = {"vscode": {"languageId": "python"}, "tags": []}
_DEEPNOTE = {"cell_id": "0f", "deepnote_cell_type": "code", "source_hash": None, "execution_millis": 12}


def _format3(content: dict) -> dict:
    cells = []
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            kept = {
                "cell_type": "code",
                "collapsed": False,
                "language": "python",
                "outputs": [],
                "prompt_number": 1,
            }
            cells.append(kept | {"input": cell["source"], "metadata": cell["metadata"]})
        else:
            cells.append({"cell_type": "markdown", "metadata": {}, "source": cell["source"]})
    cells.append({"cell_type": "heading", "level": 2, "metadata": {}, "source": "The end"})
    sheet = {"cells": cells, "metadata": {}}
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}


def write(folder: Path, one: Assignment) -> dict[str, str]:
    """Write the class into ``folder``; return what each student's submission must come to."""
    text, notebook = texts(one)
    wrong = text.replace(RIGHT, "return g * (1 - y)")
    folder.mkdir()
    expected = {}
    for name, content in right_files(one).items():
        (folder / name).write_bytes(content)
        expected[Path(name).stem.replace("\n", "\\n")] = ALL
    with open(os.fsencode(folder) + b"/j\xffrg.py", "wb") as file:
        file.write(text.encode())
    expected["j\\xffrg"] = ALL

    def put(path: str, content: bytes | str, comes_to: str) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        expected[Path(path).parts[0].partition(".")[0]] = comes_to

    put("_dora/a1_rules.py", text, ALL)
    put("folder.py/a1_rules.py", text, ALL)
    put("inner/homework/A1/A1_RULES.PY", text, ALL)
    put("beside/a1_rules.py", text, ALL)
    os.mkfifo(folder / "beside" / "pipe")
    put("pair/a1_rules.py", text, ALL)
    put("pair/a1_rules.ipynb", notebook, ALL)
    put("twice.py", text, ALL)
    put("twice.ipynb", notebook, ALL)
    put("wrong.py", wrong, LOST)
    put("surrogate.py", text.replace(RIGHT, 'raise ValueError("x\\ud83d")'), LOST)
    put("differ.py", text, "which file")
    put("differ.ipynb", notebook.replace("(1 - y * y)", "(1 - y)"), "which file")
    put("differ2/a1_rules.py", wrong, "which file")
    put("differ2/a1_rules.ipynb", notebook, "which file")
    put("archive.zip", b"PK\3\4", "archive")
    put("archive2.tar.gz", b"\x1f\x8b", "archive")
    put("suffix.py.txt", text, "has to end in")
    put("nested.ipynb", b'{"cells":' + b"[" * 100_000, "no notebook")
    put("rubbish.py", bytes(range(256)), "no Python text")
    put("huge.py", "x = '" + "x" * (2 << 20) + "'", "more than 2 MB of code")
    put("cells.py", "# %%\nx = 1\n" * 1200, "more than 1000 cells")
    for k in range(300):
        put(f"many/file{k}.py", "x", "which file")
    (folder / "nothing").mkdir()
    os.mkfifo(folder / "pipe.py")
    (folder / "pipe2").mkdir()
    os.mkfifo(folder / "pipe2" / "a1_rules.py")
    (folder / "deep" / "/".join(["d"] * 200)).mkdir(parents=True)
    (folder / "link.py").symlink_to(folder / "plain.py")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "linked").symlink_to("/etc")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(folder, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{here}/socket.py")  # a socket's own path must be short
        os.close(here)
    expected |= {"nothing": "it is empty", "deep": "it has d", "pipe": "no file", "pipe2": "no file"}
    expected |= {"link": "link", "loop": "link", "linked": "link", "socket": "no file"}
    for name in (".hidden.py", "notes.txt", "__pycache__/plain.py", "plain.zip", "._plain.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    return expected


PASSED_OVER = {".hidden.py", "notes.txt", "__pycache__", "plain.zip", "._plain.py"}
