"""The tape and the walk back along it: mistakes of other engines first, then what the walk promises."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import modes
from minigrad.errors import ConfigError, GradientError, MinigradWarning


def leaf(values, name=None) -> mg.Tensor:
    return mg.Tensor(np.array(values, dtype=np.float64), requires_grad=True, name=name)


class TestMistakesOfOtherEngines:
    def test_the_diamond(self):
        a = leaf(1.0)
        b = a + a
        c = b + b
        c.backward()
        assert a.grad.item() == 4

    def test_a_second_backward_on_a_fresh_forward_adds_once(self):
        a = leaf(3.0)
        for passes in (1, 2, 3):
            b = a * a
            (b * b).backward()  # d a⁴ = 4·27
            assert a.grad.item() == passes * 108
            assert a.grad_passes == passes

    def test_a_chain_of_100_000_operations(self):
        a = leaf(1.0)
        t = a
        for _ in range(100_000):
            t = t + 1e-5
        assert len(mg.tape(t)) == 100_000
        t.backward()
        assert a.grad.item() == 1

    def test_a_chain_of_100_000_operations_is_dropped_without_recursion(self):
        a = leaf(1.0)
        t = a
        for _ in range(100_000):
            t = -t
        first = weakref.ref(mg.tape(t)[0].inputs[0])
        assert first() is a
        del t
        gc.collect()
        assert a.grad is None

    def test_the_two_gradients_of_a_sum_are_different_arrays(self):
        a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        (a + b).backward(gradient=np.ones(2))
        assert not np.shares_memory(a.grad.data, b.grad.data)
        a.grad.data[:] = 7
        np.testing.assert_array_equal(b.grad.data, [1, 1])

    def test_no_gradient_is_the_callers_array(self):
        a, seed = leaf([1.0, 2.0]), np.array([5.0, 6.0])
        (a + 0.0).backward(gradient=seed)
        a.grad.data[:] = 0
        np.testing.assert_array_equal(seed, [5, 6])
        b = leaf([1.0])
        b.backward(gradient=seed[:1])
        assert not np.shares_memory(b.grad.data, seed)

    def test_no_gradient_is_an_inputs_array(self):
        a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        (a * b).sum().backward()
        assert not np.shares_memory(a.grad.data, b.data)

    def test_gradients_through_views_do_not_alias(self):
        a, b = leaf(np.ones((2, 3))), leaf(np.ones((3, 2)))
        total = a + b.T
        total.backward(gradient=np.ones((2, 3)))
        assert not np.shares_memory(a.grad.data, b.grad.data)

    def test_an_operand_that_is_used_twice_and_shared(self):
        a, b = leaf([1.0]), leaf([1.0])
        c = a + b  # the walk hands the same incoming array to both
        (c + a + a + b).sum().backward()
        assert (a.grad.item(), b.grad.item()) == (3, 2)

    def test_numbers_without_axes_add_up_too(self):
        x = leaf(2.0)
        y = x + x
        z = y + x
        z.backward()
        assert x.grad.item() == 3
        assert type(x.grad.data) is np.ndarray
        (x * x).backward()
        assert x.grad.item() == 7
        assert type(x.grad.data) is np.ndarray


class TestWhereGradientsGo:
    def test_only_leaves_keep_theirs(self):
        a = leaf([1.0, 2.0])
        b = a * 3
        b.sum().backward()
        with pytest.warns(MinigradWarning, match=r"MG-218 the result of multiply .* is no leaf"):
            assert b.grad is None
        np.testing.assert_array_equal(a.grad.data, [3, 3])

    def test_unless_asked(self):
        a = leaf([1.0, 2.0])
        b = (a * 3).retain_grad()
        (b * b).sum().backward()
        np.testing.assert_array_equal(b.grad.data, [6, 12])
        b.grad.data[:] = 0
        np.testing.assert_array_equal(a.grad.data, [18, 36])

    def test_not_to_those_who_do_not_want_one(self):
        a, b = leaf([1.0]), mg.Tensor([2.0], dtype="float64")
        (a * b).sum().backward()
        assert b.grad is None

    def test_requires_grad_off_really_is_off(self):
        a, b = leaf([1.0]), leaf([2.0])
        a.requires_grad_(False)
        (a * b).sum().backward()
        assert a.grad is None
        assert not (a * 2).requires_grad
        assert b.grad.item() == 1

    def test_broadcasting_is_undone(self):
        a, b = leaf(np.ones((3, 1))), leaf(np.ones(4))
        (a * b).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [[4], [4], [4]])
        np.testing.assert_array_equal(b.grad.data, [3, 3, 3, 3])

    def test_a_gradient_has_its_tensors_dtype(self):
        a = mg.Tensor([1.0, 2.0], requires_grad=True)
        (a * np.array([1.0, 2.0])).sum().backward()
        assert a.grad.dtype == np.float32

    def test_the_incoming_gradient_may_be_given(self):
        a = leaf([1.0, 2.0])
        (a * a).backward(gradient=[10.0, 1.0])
        np.testing.assert_array_equal(a.grad.data, [20, 4])
        (a * a).backward(gradient=mg.Tensor([1.0, 0.0]))
        np.testing.assert_array_equal(a.grad.data, [22, 4])

    def test_gradients_leaves_grad_alone(self):
        a, b, apart = leaf([1.0, 2.0]), leaf([3.0, 4.0]), leaf([0.0])
        found = mg.gradients((a * b).sum(), [a, b, apart])
        np.testing.assert_array_equal([g.data for g in found[:2]], [[3, 4], [1, 2]])
        np.testing.assert_array_equal(found[2].data, [0])
        assert a.grad is b.grad is None

    def test_gradients_with_respect_to_an_intermediate_result(self):
        a = leaf([1.0, 2.0])
        b = a * a
        (found,) = mg.gradients((b * b).sum(), [b])
        np.testing.assert_array_equal(found.data, [2, 8])


class TestGraphsTwice:
    def test_a_consumed_graph_says_where(self):
        loss = (leaf([1.0, 2.0]) ** 2).sum()
        loss.backward()
        line = here_line() - 1
        with pytest.raises(GradientError, match="MG-203") as caught:
            loss.backward()
        assert f"consumed by backward() at test_tape.py line {line}." in str(caught.value)

    def test_a_shared_part_that_is_consumed_counts(self):
        a = leaf([1.0, 2.0])
        shared = a * a
        shared.sum().backward()
        with pytest.raises(GradientError, match="MG-203"):
            (shared * 2).sum().backward()

    def test_retain_graph(self):
        a = leaf([1.0, 2.0])
        loss = (a * a).sum()
        loss.backward(retain_graph=True)
        loss.backward()
        np.testing.assert_array_equal(a.grad.data, [4, 8])

    def test_create_graph(self):
        a = leaf([1.0, 2.0])
        (a**3).sum().backward(create_graph=True)
        first = a.grad
        np.testing.assert_array_equal(first.data, [3, 12])
        assert first.requires_grad
        a.grad = None
        first.sum().backward()
        np.testing.assert_array_equal(a.grad.data, [6, 12])


class TestMistakesAreNamed:
    def test_backward_on_many_numbers(self):
        losses = leaf(np.ones(64), name="per_sample") * 1
        losses.name = "per_sample"
        with pytest.raises(GradientError, match="MG-202") as caught:
            losses.backward()
        for part in ("'per_sample' has shape (64,)", ".mean().backward()", "gradient= of shape (64,)"):
            assert part in str(caught.value)

    def test_a_gradient_of_another_shape(self):
        with pytest.raises(GradientError, match=r"MG-202 gradient= has shape \(3,\), .* shape \(2,\)"):
            leaf([1.0, 2.0]).backward(gradient=np.ones(3))

    def test_nothing_to_differentiate(self):
        with pytest.raises(GradientError, match="MG-204 'loss' does not depend"):
            mg.Tensor(1.0, name="loss").backward()

    def test_a_result_cannot_forget_its_graph(self):
        with pytest.raises(GradientError, match=r"MG-206 the result of multiply .*\.detach\(\)"):
            (leaf([1.0]) * 2).requires_grad_(False)


class TestChangesInPlace:
    def test_a_saved_input_names_both_lines(self):
        a = leaf([1.0, 2.0], name="a")
        b = np.sin(a)
        saved = here_line() - 1
        with mg.no_grad():
            a += 1
        changed = here_line() - 1
        with pytest.raises(GradientError, match="MG-205") as caught:
            b.sum().backward()
        assert f"'a' was saved by sin (test_tape.py line {saved})" in str(caught.value)
        assert f"then changed (test_tape.py line {changed})" in str(caught.value)
        assert "a = a + 1" in str(caught.value)

    def test_a_saved_result(self):
        a = leaf([1.0, 2.0])
        b = np.exp(a)
        with mg.no_grad():
            b *= 2
        with pytest.raises(GradientError, match="MG-205 the result of exp was saved by exp"):
            b.sum().backward()

    def test_a_change_through_a_view(self):
        a = leaf([1.0, 2.0])
        b = a * 1
        c = b * b
        with mg.no_grad():
            b[:1].__setitem__(0, 5.0)
        with pytest.raises(GradientError, match="MG-205"):
            c.sum().backward()

    def test_a_change_through_detach(self):
        a = leaf([1.0, 2.0])
        b = a * a
        a.detach()[0] = 9.0
        with pytest.raises(GradientError, match="MG-205"):
            b.sum().backward()

    def test_new_data_is_a_change(self):
        a = leaf([1.0, 2.0])
        b = a * a
        a.data = np.array([5.0, 5.0])
        with pytest.raises(GradientError, match="MG-205"):
            b.sum().backward()

    def test_a_value_that_no_rule_needs_may_change(self):
        a = leaf([1.0, 2.0])
        b = (a + 1).sum()
        with mg.no_grad():
            a += 1
        b.backward()
        np.testing.assert_array_equal(a.grad.data, [1, 1])

    def test_a_value_that_only_the_other_rule_needs_may_change(self):
        a, b = leaf([1.0, 2.0]), mg.Tensor([3.0, 4.0], dtype="float64")
        c = a * b  # a is saved for b's gradient only, which nobody wants
        with mg.no_grad():
            a += 1
        c.sum().backward()
        np.testing.assert_array_equal(a.grad.data, [3, 4])

    def test_checksums_see_what_versions_cannot(self):
        a = leaf([1.0, 2.0])
        silent = a * a
        a.data[0] = 9.0  # NumPy itself writes: no version is raised
        silent.sum().backward()
        with modes.switched(modes.checksumming, True):
            seen = a * a
        a.data[0] = 10.0
        with pytest.raises(GradientError, match="MG-205"):
            seen.sum().backward()

    def test_checksums_of_all_kinds_of_arrays(self):
        with modes.switched(modes.checksumming, True):
            for values in (np.ones(()), np.ones((0, 2)), np.ones((2, 3)).T, np.broadcast_to(1.0, (2, 2))):
                t = mg.Tensor(values, requires_grad=True)
                np.where(values > 0, t * t, 0).sum().backward()
                np.testing.assert_array_equal(t.grad.data, 2 * values)


class TestLookingOn:
    def test_the_tape_is_in_order(self):
        a, b = leaf([1.0], name="a"), leaf([2.0], name="b")
        loss = (np.exp(a) * b + a).sum()
        tape = mg.tape(loss)
        assert [record.operation.name for record in tape] == ["exp", "multiply", "add", "sum"]
        assert [record.serial for record in tape] == sorted(record.serial for record in tape)
        assert tape[-1] is loss.record
        assert repr(tape[1]).startswith(
            f"<record {tape[1].serial}: multiply(the result of exp, 'b') -> (1,), "
        )
        assert mg.tape(a) == []

    def test_records_know_the_users_line(self):
        a = leaf([1.0])
        b = np.sin(a) * a
        line = here_line() - 1
        assert [(r.location.line, r.location.filename) for r in mg.tape(b)] == [(line, __file__)] * 2

    def test_the_walk_can_be_stepped(self):
        a, b = leaf([2.0], name="a"), leaf([3.0], name="b")
        loss = (a * b).sum()
        walk = mg.steps(loss)
        first = next(walk)
        assert first.record.operation.name == "sum"
        assert first.incoming == 1
        second = next(walk)
        assert second.record.operation.name == "multiply"
        assert second.input is a
        np.testing.assert_array_equal(second.contribution, [3.0])
        assert a.grad is None  # not before the last step
        assert next(walk).input is b
        assert next(walk, None) is None
        assert (a.grad.item(), b.grad.item()) == (3, 2)

    def test_totals_add_up_step_by_step(self):
        a = leaf([3.0])
        steps = [(s.contribution.item(), s.total.item()) for s in mg.steps((a * a).sum()) if s.input is a]
        assert steps == [(3, 3), (3, 6)]

    def test_hooks_see_every_record_and_every_step(self):
        made, walked = [], []
        with mg.hooks(forward=lambda record, out: made.append((record.operation.name, out.shape))):
            loss = (leaf([1.0, 2.0]) * 2).sum()
        with mg.hooks(backward=lambda step: walked.append(step.record.operation.name)):
            loss.backward()
        assert made == [("multiply", (2,)), ("sum", ())]
        assert walked == ["sum", "multiply"]
        (leaf([1.0]) * 2).sum().backward()
        assert len(made) == len(walked) == 2

    def test_a_hook_sees_what_a_gradient_was_before_a_walk_added_to_it(self):
        a, seen = leaf([3.0]), []
        with mg.hooks(
            accumulate_grad=lambda tensor, before: seen.append((tensor, before, tensor.grad.item()))
        ):
            (a * 2).sum().backward()
            (a * 5).sum().backward()
        assert seen == [(a, None, 2), (a, np.array([2.0]), 7)]

    def test_hooks_nest(self):
        seen = []
        with (
            mg.hooks(forward=lambda record, out: seen.append("outer")),
            mg.hooks(forward=lambda record, out: seen.append("inner")),
        ):
            leaf([1.0]) * 2
        assert seen == ["outer", "inner"]


class TestModes:
    def test_no_grad_records_nothing(self):
        a = leaf([1.0])
        with mg.no_grad():
            b = a * 2
            assert not mg.is_grad_enabled()
            with mg.enable_grad():
                assert (a * 2).requires_grad
        assert not b.requires_grad
        assert b.record is None
        assert mg.is_grad_enabled()

    def test_no_grad_is_a_decorator(self):
        @mg.no_grad()
        def double(t):
            return t * 2

        a = leaf([1.0])
        assert not double(a).requires_grad
        assert not double(a).requires_grad  # and works twice
        assert (a * 2).requires_grad

    def test_no_grad_ends_with_an_exception(self):
        with pytest.raises(KeyError), mg.no_grad():
            raise KeyError
        assert mg.is_grad_enabled()

    def test_threads_do_not_see_each_others(self):
        inside, seen = threading.Barrier(2, timeout=10), {}

        def other():
            inside.wait()
            seen["enabled"] = mg.is_grad_enabled()
            seen["recorded"] = (leaf([1.0]) * 2).requires_grad
            inside.wait()

        thread = threading.Thread(target=other)
        thread.start()
        with mg.no_grad():
            inside.wait()
            inside.wait()
        thread.join()
        assert seen == {"enabled": True, "recorded": True}

    def test_accumulate_averages(self):
        x = np.arange(8.0).reshape(4, 2)
        whole, pieces = leaf([1.0, 2.0]), leaf([1.0, 2.0])
        ((x @ whole) ** 2).mean().backward()
        with mg.accumulate(2):
            for part in (x[:2], x[2:]):
                ((part @ pieces) ** 2).mean().backward()
        np.testing.assert_allclose(pieces.grad.data, whole.grad.data, rtol=1e-15)
        assert (pieces.grad_passes, whole.grad_passes) == (2, 1)

    def test_accumulate_needs_a_pass(self):
        with pytest.raises(ConfigError, match=r"MG-802 .*not 0"), mg.accumulate(0):
            pass


class TestMemory:
    def test_intermediate_results_die_as_the_walk_goes(self):
        a = leaf(np.ones(10))
        references = []
        t = a
        for _ in range(5):
            t = np.sin(t)
            references.append(weakref.ref(t))
        loss = t.sum()
        del t
        gc.collect()
        gc.disable()
        try:
            assert all(r() is not None for r in references)
            alive = []
            for step in mg.steps(loss):
                alive.append(sum(r() is not None for r in references))
                del step
            assert alive == [5, 5, 4, 3, 2, 1]
            assert not any(r() for r in references)
        finally:
            gc.enable()

    def test_saved_arrays_are_let_go_although_the_loss_lives(self):
        a = leaf(np.ones(10))
        hidden = np.exp(a)
        array = weakref.ref(hidden.data)
        loss = hidden.sum()
        del hidden
        loss.backward()
        assert array() is None
        assert loss.item() == pytest.approx(10 * np.e)


def here_line() -> int:
    """The caller's line."""
    import inspect

    return inspect.currentframe().f_back.f_lineno
