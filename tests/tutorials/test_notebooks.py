"""Every tutorial runs from its first cell to its last, unsolved; and each .ipynb is what its source gives."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("run_notebook.py")
SOURCES = sorted((ROOT / "tutorials").glob("[0-9][0-9]_*.py"))
MOST_SECONDS = 120


def run(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MINIGRAD_DATA", "MPLBACKEND")
    }
    environment |= {
        "XDG_CACHE_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "MPLCONFIGDIR": str(folder / "mpl"),
    }
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        environment[proxy] = "http://127.0.0.1:9"  # no network: whoever asks for one is refused at once
    return subprocess.run(
        [sys.executable, str(RUNNER), str(path)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_tutorial_runs_top_to_bottom_and_its_exercises_are_open(source, tmp_path):
    done = run(source, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    number = source.name[:2]
    verdicts = re.findall(rf"^({number}\.\d) (right|not yet): ", done.stdout, re.MULTILINE)
    assert verdicts == [(f"{number}.{k}", "not yet") for k in (1, 2, 3)]
    assert "could not make sense" not in done.stdout
    assert "your function raised" not in done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_notebook_beside_it_is_what_the_source_gives(source):
    pytest.importorskip("jupytext", reason="the notebooks are built with jupytext")
    from tutorials.build import notebook

    path = source.with_suffix(".ipynb")
    assert path.exists(), "run: python -m tutorials.build"
    assert path.read_text(encoding="utf-8") == notebook(source), "run: python -m tutorials.build"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_source_is_plain_cells(source):
    text = source.read_text(encoding="utf-8")
    assert text.startswith("# %% [markdown]\n# # ")
    for line in text.splitlines():
        assert (
            not line.startswith("# %%")
            or line == "# %%"
            or line.startswith(("# %% [markdown]", "# %% tags="))
        )


def test_the_readme_installs_what_the_notebooks_are_run_with():
    readme = (ROOT / "tutorials" / "README.md").read_text(encoding="utf-8")
    assert '\npip install -e ".[tutorials]"\n' in readme
    assert all(f"pip install {how}" in readme for how in ("torch", '-e ".[mpi]"'))


def test_the_runner_refuses_what_that_does_not_install(tmp_path):
    source = tmp_path / "01_example.py"
    source.write_text("# %%\nimport optuna, scipy\n\n# %%\nimport jupytext\n", encoding="utf-8")
    done = run(source, tmp_path)
    assert done.returncode == 1
    assert "No module named 'jupytext'" in done.stderr


def test_the_list_names_every_tutorial():
    listed = re.findall(
        r"\]\((\d\d_\w+)\.ipynb\)", (ROOT / "tutorials" / "README.md").read_text(encoding="utf-8")
    )
    assert listed == sorted(listed)
    assert {path.stem for path in SOURCES} <= set(listed)


PAGES = [
    *SOURCES,
    *(ROOT / name for name in ("README.md", "tutorials/README.md", "bench/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_says_what_d0_to_d4_are_where_it_first_speaks_of_them(page):
    if "_generated" in page.parts:
        return
    paragraphs = re.split(r"\n(?:#? *)?\n|\n# *\n", page.read_text(encoding="utf-8"))
    speaking = [text for text in paragraphs if re.search(r"\bD[0-4]\b", text)]
    assert not speaking or re.search(r"\barticles?\b", " ".join(speaking[0].split())), speaking[0]


GUESS = "**Guess before you run:**"


@pytest.mark.parametrize("source", [s for s in SOURCES if s.name[:2] != "17"], ids=lambda path: path.stem)
def test_a_tutorial_asks_for_a_guess_before_the_cell_that_tells(source):
    blocks = re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    asking = [k for k, block in enumerate(blocks) if GUESS in block]
    assert asking
    for k in asking:
        assert blocks[k].startswith(" [markdown]")
        assert "?" in blocks[k].partition(GUESS)[2]
        assert "details>" not in blocks[k].partition(GUESS)[2]
        assert not blocks[k + 1].startswith(" [markdown]")  # the cell to guess about comes next
    text = source.read_text(encoding="utf-8")
    assert text.count("# <details>\n# <summary><b>What came out, and why</b></summary>\n#\n") == len(
        re.findall("# </details>\n", text)
    )
    assert text.count("<details>") >= 1


def test_the_three_pictures_of_the_loss_are_shown():
    text = "".join(source.read_text(encoding="utf-8") for source in SOURCES)
    for picture in ("decision_boundary", "loss_slice", "optimizer_race"):
        assert f"\nmg.viz.{picture}(" in text


EXAMPLE = """# %% [markdown]
# # Title
#
# *text*

# %%
a = 1

# %%
a + 1

# %%
a + 1
"""


def test_a_notebook_has_no_outputs_and_its_ids_stay(tmp_path):
    pytest.importorskip("jupytext", reason="the notebooks are built with jupytext")
    from tutorials import build

    source = tmp_path / "01_example.py"
    source.write_text(EXAMPLE, encoding="utf-8")
    made = json.loads(build.notebook(source))
    assert [cell["cell_type"] for cell in made["cells"]] == ["markdown", "code", "code", "code"]
    assert "".join(made["cells"][0]["source"]) == "# Title\n\n*text*"
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in made["cells"][1:])
    ids = [cell["id"] for cell in made["cells"]]
    assert len(set(ids)) == 4
    source.write_text(EXAMPLE.replace("a = 1\n", "a = 1\n\n# %%\nb = 2\n"), encoding="utf-8")
    assert [
        cell["id"] for cell in json.loads(build.notebook(source))["cells"] if "b = 2" not in cell["source"]
    ] == ids


def test_the_command_writes_what_is_stale_and_nothing_else(tmp_path):
    pytest.importorskip("jupytext", reason="the notebooks are built with jupytext")
    from tutorials import build

    for name in ("01_a.py", "02_b.py", "notes.py"):
        (tmp_path / name).write_text(EXAMPLE, encoding="utf-8")
    assert build.build(check=True, folder=tmp_path) == [tmp_path / "01_a.ipynb", tmp_path / "02_b.ipynb"]
    assert not (tmp_path / "01_a.ipynb").exists()
    build.build(folder=tmp_path)
    assert build.build(check=True, folder=tmp_path) == []
    (tmp_path / "02_b.py").write_text(EXAMPLE.replace("a = 1", "a = 2"), encoding="utf-8")
    assert build.build(check=True, folder=tmp_path) == [tmp_path / "02_b.ipynb"]


def test_the_runner_shows_what_fails(tmp_path):
    source = tmp_path / "01_example.py"
    source.write_text(EXAMPLE + "\n# %%\nprint('before')\n1 / 0\n", encoding="utf-8")
    done = run(source, tmp_path)
    assert done.returncode == 1
    assert "before" in done.stdout
    assert "the cell from line 16" in done.stderr
    assert "1 / 0" in done.stderr
