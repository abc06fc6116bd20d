from __future__ import annotations

import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pooch
import pytest

from minigrad.data import load_mnist, mnist
from minigrad.errors import ConfigError, DataError
from tests.data.idx_files import idx_bytes

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)
IMAGES_NAME, LABELS_NAME = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


class Mirror:
    """A web server on this machine; ``broken`` says how it answers a file's name."""

    def __init__(self, files: dict[str, bytes]) -> None:
        mirror = self
        self.files = dict(files)
        self.broken: dict[str, str] = {}
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                mirror.asked.append(name)
                fault = mirror.broken.get(name)
                self.send_response(404 if fault == "missing" else 200)
                content = b"" if fault == "missing" else mirror.files[name]
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if fault == "breaks off" else content)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/mnist/"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def files():
    return {IMAGES_NAME: gzip.compress(idx_bytes(PIXELS)), LABELS_NAME: gzip.compress(idx_bytes(LABELS))}


@pytest.fixture
def cache(files, tmp_path, monkeypatch):
    """Small files stand in for MNIST's; the cache is empty and no network can be reached."""
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/"))
    monkeypatch.setenv("NO_PROXY", "*")
    stand_ins = {
        name: mnist._Sha256(
            hashlib.sha256(packed).hexdigest(), hashlib.sha256(gzip.decompress(packed)).hexdigest()
        )
        for name, packed in files.items()
    }
    monkeypatch.setattr(mnist, "_FILES", stand_ins)
    return tmp_path / "cache" / "minigrad" / "mnist"


@pytest.fixture
def mirror(files, cache, monkeypatch):
    server = Mirror(files)
    monkeypatch.setattr(mnist, "MIRRORS", (server.url,))
    yield server
    server.close()


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def check(data):
    assert data.x.shape == (6, 784)
    assert data.x.dtype == np.float32
    assert data.y.dtype == np.int64
    assert np.array_equal(data.x, (PIXELS.reshape(6, 784) / np.float32(255)).astype(np.float32))
    assert data.y.tolist() == LABELS.tolist()
    assert data.image_shape == (28, 28)
    assert data.classes == tuple("0123456789")


def refused(code, *parts, **options):
    with pytest.raises(DataError) as raised:
        load_mnist(**options)
    assert raised.value.code == code
    for part in (*parts, "MINIGRAD_DATA=FOLDER"):
        assert part in str(raised.value)


@pytest.mark.parametrize("inner", [".", "mnist"])
def test_the_users_own_folder_comes_first(files, cache, tmp_path, monkeypatch, inner):
    write(tmp_path / "own" / inner, files)
    write(cache, dict.fromkeys(files, b"never opened"))
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "own"))
    check(load_mnist())
    monkeypatch.delenv("MINIGRAD_DATA")
    check(load_mnist(folder=tmp_path / "own"))


def test_files_packed_by_another_program_are_as_good(files, cache, tmp_path):
    write(tmp_path / "own", {name: gzip.compress(gzip.decompress(old), 1) for name, old in files.items()})
    check(load_mnist(folder=tmp_path / "own"))


def test_then_the_cache(files, cache, tmp_path, monkeypatch):
    write(cache, files)
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "nothing-here"))
    check(load_mnist())


def test_then_a_download_that_is_kept(cache, mirror):
    check(load_mnist())
    assert sorted(path.name for path in cache.iterdir()) == [IMAGES_NAME, LABELS_NAME]
    check(load_mnist())
    assert mirror.asked == [IMAGES_NAME, LABELS_NAME]


def test_a_damaged_cache_is_downloaded_again(files, cache, mirror):
    write(cache, {IMAGES_NAME: files[IMAGES_NAME][:50], LABELS_NAME: files[LABELS_NAME]})
    check(load_mnist())
    assert mirror.asked == [IMAGES_NAME]


def test_the_second_mirror_helps_out(files, mirror, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/", mirror.url))
    check(load_mnist())


def test_no_network(cache):
    refused("MG-704", IMAGES_NAME, "127.0.0.1:9/a/ cannot be reached (is there a network?)", "127.0.0.1:9/b/")
    assert not list(cache.glob("*"))


def test_a_mirror_without_the_file(cache, mirror):
    mirror.broken[IMAGES_NAME] = "missing"
    refused("MG-704", IMAGES_NAME, "404")
    assert not list(cache.glob("*"))


def test_a_timeout(cache, monkeypatch):
    import requests

    def never(*args, **options):
        raise requests.exceptions.ReadTimeout("timed out")

    monkeypatch.setattr(pooch, "retrieve", never)
    refused("MG-704", "did not answer in time")


def test_a_download_that_breaks_off(cache, mirror):
    mirror.broken[LABELS_NAME] = "breaks off"
    refused("MG-705", LABELS_NAME, "broke off before the end")
    assert [path.name for path in cache.iterdir()] == [IMAGES_NAME]


def test_a_download_with_other_content(files, cache, mirror):
    mirror.files[IMAGES_NAME] = files[LABELS_NAME]
    refused("MG-706", IMAGES_NAME, "wrong SHA-256")
    assert not list(cache.glob("*"))


def test_the_furthest_download_names_the_error(files, cache, mirror, monkeypatch):
    mirror.files[IMAGES_NAME] = b"a log-in page"
    monkeypatch.setattr(mnist, "MIRRORS", (mirror.url, "http://127.0.0.1:9/"))
    refused("MG-706", "wrong SHA-256", "cannot be reached")


def test_a_cache_that_cannot_be_written(cache, mirror):
    cache.parent.parent.mkdir(parents=True)
    cache.parent.write_text("a file where the cache folder should be")
    refused("MG-704", IMAGES_NAME)


def test_own_file_cut_short(files, cache, tmp_path, monkeypatch):
    write(tmp_path, {**files, LABELS_NAME: files[LABELS_NAME][:-4]})
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    refused("MG-705", str(tmp_path / LABELS_NAME), "cut short")


def test_own_file_with_a_wrong_checksum(files, cache, tmp_path, monkeypatch):
    other = gzip.compress(idx_bytes(255 - PIXELS))
    write(tmp_path, {**files, IMAGES_NAME: other})
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    refused("MG-706", str(tmp_path / IMAGES_NAME), "wrong checksum")
    assert (tmp_path / IMAGES_NAME).read_bytes() == other


def test_a_named_folder_without_the_files(cache, tmp_path):
    refused("MG-703", "t10k-images-idx3-ubyte.gz", str(tmp_path), train=False, folder=tmp_path)


def test_the_published_checksums():
    # As published with the files; the mirrors' listings and many projects quote them.
    assert {name[:12]: hashes.packed[:16] for name, hashes in mnist._FILES.items()} == {
        "train-images": "440fcabf73cc546f",
        "train-labels": "3552534a0a558bbe",
        "t10k-images-": "8d422c7b0a1c1c79",
        "t10k-labels-": "f7ae60f92e00ec6d",
    }


def test_the_real_files_where_they_are_at_hand():
    try:
        train, test = (load_mnist(train=part, folder=_own_folder()) for part in (True, False))
    except DataError as error:
        if error.code == "MG-703":
            pytest.skip("MNIST's files are not in $MINIGRAD_DATA")
        raise
    assert (len(train), len(test)) == (60_000, 10_000)
    # Published facts: the first labels, the classes' counts, and the pixels' mean and standard deviation.
    assert train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert abs(train.x.mean(dtype=np.float64) - 0.1307) < 1e-4
    assert abs(train.x.std(dtype=np.float64) - 0.3081) < 1e-4


def _own_folder() -> str:
    import os

    return os.environ.get("MINIGRAD_DATA") or "no-such-folder"


@pytest.mark.parametrize("wrong", ["test", "train", 0, 1, None])
def test_which_half_is_asked_for_by_its_name_and_yes_or_no(wrong):
    with pytest.raises(ConfigError, match=r"MG-802 load_mnist\(train="):
        load_mnist(train=wrong)
    with pytest.raises(TypeError, match="positional"):
        load_mnist("test")
