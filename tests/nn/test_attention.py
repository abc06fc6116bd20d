"""Attention: what it hides, drops and refuses, its memory and its bits; ``parity_attention.py`` has PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import attention

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DtypeError, ShapeError
from minigrad.threads import threads
from tests.nn.parity import close, tensor


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("causal", [False, True])
def test_a_query_that_sees_no_key_gets_zeros_and_gives_no_gradient(torch, causal):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(1, 3, 2)) for _ in range(3)]
    mask = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1]], bool)
    if causal:
        mask &= np.tri(3, dtype=bool)
    for given in (mask, np.where(mask, 0.0, -np.inf)):
        q, k, v = (tensor(a) for a in arrays)
        y = nn.scaled_dot_product_attention(q, k, v, given)
        z = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, arrays), torch.tensor(given))
        close(y.numpy(), z.numpy())
        assert (y.numpy()[0, 1] == 0).all()
        y.sum().backward()
        assert (q.grad.numpy()[0, 1] == 0).all()
        assert np.isfinite(k.grad.numpy()).all()


def test_dropout_drops_the_same_weights_backwards():
    """The gradient is that of the very function that ran: differences of it, with the generator set back."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 5, 3)) for _ in range(3)]

    def f(q, k, v):
        return nn.scaled_dot_product_attention(q, k, v, dropout_p=0.5, rng=np.random.default_rng(3))

    mg.gradcheck(f, arrays, order=2)
    first, again = (f(*map(mg.Tensor, arrays)).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = nn.scaled_dot_product_attention(*arrays, dropout_p=0.5, rng=np.random.default_rng(4))
    assert not np.array_equal(first, other)


def test_dropout_keeps_the_share_and_the_mean_that_it_should():
    n = 400
    q = k = np.zeros((n, 4))  # all weights are 1 / n
    v = np.eye(n)
    y = np.asarray(nn.scaled_dot_product_attention(q, k, v, dropout_p=0.25, rng=np.random.default_rng(0)))
    kept = y > 0
    close(y[kept] * n, 1 / 0.75)
    assert abs(kept.mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / n**2)
    assert kept.mean(axis=0).std() < 0.05  # no key and no query is favoured
    assert kept.mean(axis=1).std() < 0.05


def test_of_several_processes_each_drops_the_weights_of_its_samples():
    """The last two of three samples, by a generator that knows that one comes before them."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 2, 5, 4)) for _ in range(3)]

    class Later(np.random.Generator):
        samples_before = 1

    def run(chosen, masks):
        return np.asarray(
            nn.scaled_dot_product_attention(*(a[chosen] for a in arrays), dropout_p=0.5, rng=masks)
        )

    whole = run(slice(None), np.random.default_rng(3))
    close(run(slice(1, None), Later(np.random.PCG64(3))), whole[1:])


def test_the_weights_dropped_do_not_depend_on_the_implementation():
    from minigrad_kernels.launch import reference_only

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 70, 4)).astype("float32") for _ in range(3)]
    arrays[2] = np.broadcast_to(np.eye(70, dtype="float32"), (2, 70, 70))

    def run():
        return np.asarray(
            nn.scaled_dot_product_attention(*arrays, dropout_p=0.5, rng=np.random.default_rng(1))
        )

    with reference_only():
        reference = run()
    np.testing.assert_array_equal(run() > 0, reference > 0)


def test_what_does_not_fit_is_named():
    a = np.ones((2, 5, 4))
    for shapes, text in [
        ((a, a[..., :3], a), "q has 4 numbers, k 3"),
        ((a, a[:, :3], a), "3 keys, v 5 values"),
        ((a[0, 0], a, a), "One query is"),
        ((np.ones((3, 5, 4)), a, a), "do not stretch"),
    ]:
        with pytest.raises(ShapeError, match="MG-533") as error:
            nn.scaled_dot_product_attention(*shapes)
        assert text in str(error.value)
    with pytest.raises(ShapeError, match=r"MG-533 .*mask \(4, 5\)"):
        nn.scaled_dot_product_attention(a, a, a, np.ones((4, 5), bool))
    with pytest.raises(DtypeError, match="MG-211"):
        nn.scaled_dot_product_attention(a, a.astype("float32"), a)
    with pytest.raises(ConfigError, match="MG-508"):
        nn.scaled_dot_product_attention(a, a, a, dropout_p=0.1)
    with pytest.raises(ConfigError, match=r"MG-802 .*two masks"):
        nn.scaled_dot_product_attention(a, a, a, np.ones((5, 5), bool), is_causal=True)
    with pytest.raises(ConfigError, match=r"MG-802 .*7 .*2 heads"):
        nn.MultiheadAttention(7, 2)
    layer = nn.MultiheadAttention(4, 2, rng=np.random.default_rng(0)).to("float64")
    with pytest.raises(ShapeError, match=r"MG-533 .*attn_mask is \(3, 3\)"):
        layer(*[mg.Tensor(a)] * 3, attn_mask=np.ones((3, 3), bool))


def test_initial_weights_are_pytorchs(torch):
    ours = nn.MultiheadAttention(48, 4, rng=np.random.default_rng(0))
    theirs = torch.nn.MultiheadAttention(48, 4)
    for name, parameter in theirs.named_parameters():
        here, there = ours.named_parameters()[name].numpy(), parameter.detach().numpy()
        assert here.shape == there.shape
        assert abs(here.std() - there.std()) < 0.05 * max(there.std(), 1e-9)
        assert abs(np.abs(here).max() - np.abs(there).max()) < 0.02 * max(there.max(), 1e-9)


def test_positions():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 6))
    table = np.array(
        [[f(t / 10000 ** (2 * i / 6)) for i in range(3) for f in (np.sin, np.cos)] for t in range(9)]
    )
    close(
        nn.SinusoidalPositions(9, 6).to("float64")(mg.Tensor(x), 3).numpy(), x + table[3:8].astype("float32")
    )
    learned = nn.LearnedPositions(9, 6, rng).to("float64")
    close(learned(mg.Tensor(x), 2).numpy(), x + learned.weight.numpy()[2:7])
    with pytest.raises(ShapeError, match="MG-534"):
        learned(mg.Tensor(x), 5)


def test_rotary_positions_are_rotations_whose_products_know_the_distance_alone():
    rng = np.random.default_rng(0)
    rotary = nn.RotaryPositions(6)
    x, y = rng.normal(size=(2, 1, 6))
    turned = np.asarray(rotary(x, 3).data if isinstance(rotary(x, 3), mg.Tensor) else rotary(x, 3))
    pairs, angles = x.reshape(3, 2), 3 / 10000 ** (np.arange(3) / 3)
    complex_ = (pairs[:, 0] + 1j * pairs[:, 1]) * np.exp(1j * angles)  # eq. 12 of the paper
    close(turned.reshape(3, 2), np.stack([complex_.real, complex_.imag], -1))
    products = [float((np.asarray(rotary(x, t)) * np.asarray(rotary(y, t + 4))).sum()) for t in (0, 7, 50)]
    close(products, [products[0]] * 3)
    mg.gradcheck(lambda a: rotary(a, 2), [rng.normal(size=(2, 3, 6))], order=2)


def test_memory_grows_with_the_length_and_not_with_its_square():
    """What NumPy holds at most, forward and backward: 4 arrays of the inputs' size and a few rows, no n × n."""
    import tracemalloc

    from minigrad_kernels import launch

    if launch.numba() is None or launch.reference_is_forced():
        pytest.skip("the reference holds all weights")
    peaks = []
    for n in (512, 1024):
        rng = np.random.default_rng(0)
        q, k, v = (
            mg.Tensor(rng.standard_normal((1, 4, n, 32), dtype=np.float32), requires_grad=True)
            for _ in range(3)
        )
        for _repeat in range(2):  # once to compile
            tracemalloc.start()
            nn.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            for t in (q, k, v):
                t.zero_grad()
        peaks.append(peak)
        assert peak < 6 * q.data.nbytes + 200_000
    assert peaks[1] < 2.3 * peaks[0]


def test_the_same_bits_whatever_the_number_of_threads():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((2, 3, 150, 32), dtype=np.float32) for _ in range(3)]
    results = []
    before = max(threads().values())
    try:
        for count in (1, 2):
            mg.set_threads(count)
            tensors = [tensor(a) for a in arrays]
            y = nn.scaled_dot_product_attention(
                *tensors, dropout_p=0.1, is_causal=True, rng=np.random.default_rng(0)
            )
            y.backward(arrays[0])
            results.append([y.numpy(), *(t.grad.numpy() for t in tensors)])
    finally:
        mg.set_threads(before)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def laid(a, layout):
    """The same numbers in memory that is laid out otherwise."""
    if layout == "rows apart":
        whole = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        whole[..., : a.shape[-1]] = a
        return whole[..., : a.shape[-1]]
    return np.swapaxes(np.swapaxes(a, -1, -2).copy(), -1, -2) if layout == "columns" else a


@pytest.mark.parametrize("layout", ["whole", "rows apart", "columns"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("n", "m", "d", "e"),
    [(1, 1, 1, 1), (3, 70, 5, 2), (64, 64, 32, 32), (70, 130, 8, 24), (130, 61, 16, 3), (50, 50, 20, 20)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_of_all_sizes_and_layouts(n, m, d, e, causal, layout, dtype):
    rng = np.random.default_rng(n)
    shapes = [(2, 3, n, d), (2, 3, m, d), (2, 3, m, e), (2, 3, n, e)]
    q, k, v, g = (laid(rng.normal(size=shape).astype(dtype), layout) for shape in shapes)
    for p in (0.0, 0.3):
        settings = (None, np.array(7), causal, d**-0.5, p)
        y, lse = attention.forward_reference(q, k, v, *settings)
        wanted = y, lse, *attention.backward_reference(g, y, lse, q, k, v, *settings)
        outputs = [laid(np.full_like(a, np.nan), layout) for a in wanted if a.ndim == 4]
        found = attention.forward_cpu(q, k, v, *settings, out=(outputs[0], np.empty_like(lse)))
        found += attention.backward_cpu(g, *found, q, k, v, *settings, out=tuple(outputs[1:]))
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


def test_a_program_copies_rows_that_lie_apart_at_each_call():
    rng = np.random.default_rng(0)

    @mg.compile
    def step(x, y):
        return nn.scaled_dot_product_attention(np.swapaxes(x, 1, 2), y, y, is_causal=True)

    for _ in range(3):
        x, y = mg.Tensor(rng.normal(size=(2, 8, 9))), mg.Tensor(rng.normal(size=(2, 9, 8)))
        wanted = nn.scaled_dot_product_attention(np.swapaxes(x, 1, 2), y, y, is_causal=True)
        np.testing.assert_array_equal(step(x, y).numpy(), wanted.numpy())
