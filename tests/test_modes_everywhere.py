"""Every mode, as a block and as a decorator of every kind of function, left in any order, in threads and coroutines."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from contextlib import ExitStack

import numpy as np
import pytest

import minigrad as mg
from minigrad import modes
from minigrad.errors import ConfigError
from minigrad.modes import Hooks


def _told(*_):
    pass


MODES = {  # how it is made, what tells whether it holds, what that gives outside and inside
    "no_grad": (mg.no_grad, mg.is_grad_enabled, True, False),
    "enable_grad": (mg.enable_grad, mg.is_grad_enabled, False, True),
    "unfused": (mg.unfused, modes.may_fuse, True, False),
    "accumulate": (lambda: mg.accumulate(3), modes.accumulated_passes.get, 1, 3),
    "hooks": (lambda: mg.hooks(update=_told), modes.hooked.get, Hooks(), Hooks(update=(_told,))),
    "debug": (mg.debug, modes.checksumming.get, False, True),
}


@pytest.fixture(params=MODES)
def mode(request):
    """A mode, with the tests running where it does not hold."""
    made, look, outside, inside = MODES[request.param]
    with mg.no_grad() if request.param == "enable_grad" else ExitStack():
        assert look() == outside
        yield made, look, outside, inside
        assert look() == outside


class TestBlocks:
    def test_inside_and_after_an_error(self, mode):
        made, look, _, inside = mode
        with pytest.raises(KeyError), made():  # noqa: PT012 (the block is what is tried)
            assert look() == inside
            raise KeyError

    def test_one_object_within_itself_and_again(self, mode):
        made, look, outside, inside = mode
        one = made()
        for _ in range(2):
            with one:
                if made is not MODES["hooks"][0]:
                    with one:
                        assert look() == inside
                assert look() == inside
            assert look() == outside

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_they_may_be_left_in_any_order(self, mode, order):
        made, look, outside, inside = mode
        blocks = [made() for _ in range(3)]
        for block in blocks:
            block.__enter__()
        for k, left in enumerate(order):
            assert look() != outside
            blocks[left].__exit__(None, None, None)
            if k == 1:
                assert look() == inside
        assert look() == outside

    def test_what_others_hold_stays(self):
        off, on = mg.no_grad(), mg.enable_grad()
        off.__enter__()
        on.__enter__()
        off.__exit__(None, None, None)
        assert mg.is_grad_enabled()
        with mg.no_grad():
            on.__exit__(None, None, None)
            assert not mg.is_grad_enabled()
        assert mg.is_grad_enabled()

    def test_two_interleaved_generators(self, mode):
        made, look, outside, _ = mode

        def numbers():
            with made():
                yield 1
                yield 2

        first, second = numbers(), numbers()
        next(first), next(second)
        first.close()
        assert look() != outside  # the second is suspended inside its block, as is said
        del second
        gc.collect()
        assert look() == outside


class TestDecorators:
    def test_a_function(self, mode):
        made, look, _, inside = mode

        @made()
        def f(x, *, y):
            """Documented."""
            return look(), x, y

        assert f(1, y=2) == (inside, 1, 2)
        assert (f.__name__, f.__doc__) == ("f", "Documented.")

    def test_a_method_and_a_recursion(self, mode):
        made, look, outside, inside = mode

        class Model:
            @made()
            def depth(self, n):
                return self.depth(n - 1) if n else look()

        assert Model().depth(1) != outside
        assert Model().depth(0) == inside

    def test_a_generator_and_not_its_consumer(self, mode):
        made, look, outside, inside = mode

        @made()
        def f():
            seen = []
            try:
                while True:
                    seen.append((yield look()))
            except KeyError:
                yield "caught", look()
            return seen, look()

        running = f()
        assert look() == outside
        assert next(running) == inside
        assert look() == outside
        assert running.send(7) == inside
        assert running.throw(KeyError) == ("caught", inside)
        assert look() == outside
        with pytest.raises(StopIteration) as end:
            next(running)
        assert end.value.value == ([7], inside)

    def test_a_generator_that_is_closed_or_forgotten(self, mode):
        made, look, outside, inside = mode
        ends = []

        @made()
        def f():
            try:
                yield 1
            finally:
                ends.append(look())

        closed, forgotten = f(), f()
        next(closed), next(forgotten)
        closed.close()
        del forgotten
        gc.collect()
        assert ends == [inside, inside]
        assert look() == outside

    def test_errors_come_out_of_a_generator_as_they_are(self, mode):
        made, _, _, _ = mode

        @made()
        def f():
            yield 1
            raise KeyError("mine")

        running = f()
        next(running)
        with pytest.raises(KeyError, match="mine"):
            next(running)

    def test_a_coroutine_and_not_who_runs_meanwhile(self, mode):
        made, look, outside, inside = mode
        seen = []

        @made()
        async def f():
            seen.append(look())
            await asyncio.sleep(0)
            seen.append(look())
            return 7

        async def other():
            for _ in range(3):
                assert look() == outside
                await asyncio.sleep(0)

        async def both():
            return await asyncio.gather(f(), other())

        assert asyncio.run(both()) == [7, None]
        assert seen == [inside, inside]

        stepped = f()  # driven by hand, in this context
        stepped.send(None)
        assert look() == outside
        stepped.close()

    def test_an_asynchronous_generator(self, mode):
        made, look, outside, inside = mode

        @made()
        async def f():
            try:
                got = yield look()
                await asyncio.sleep(0)
                yield got, look()
            except KeyError:
                yield "caught"

        async def consumer():
            running = f()
            assert await running.__anext__() == inside
            assert look() == outside
            assert await running.asend(7) == (7, inside)
            assert await running.athrow(KeyError) == "caught"
            assert [x async for x in running] == []
            left = f()
            assert await left.__anext__() == inside
            await left.aclose()
            assert look() == outside

        asyncio.run(consumer())

    @pytest.mark.parametrize("plain", [mg.no_grad, mg.enable_grad, mg.unfused, mg.debug])
    def test_without_parentheses(self, plain):
        @plain
        def f(x):
            return x + 1

        assert f(1) == 2

    def test_interleaved_decorated_generators_record_what_they_should(self):
        w = mg.Tensor([2.0], requires_grad=True)

        @mg.no_grad()
        def batches():
            while True:
                yield w * 2.0

        for a, b in itertools.islice(zip(batches(), batches(), strict=False), 3):
            assert not a.requires_grad
            assert not b.requires_grad
            assert (w * a).requires_grad


def test_static_and_class_methods_in_either_order(mode):
    made, look, _, inside = mode

    class Model:
        @made()
        @staticmethod
        def one():
            return look()

        @classmethod
        @made()
        def two(cls):
            return cls, look()

        @made()
        @classmethod
        def three(cls):
            return cls, look()

    assert (Model.one(), Model().one()) == (inside, inside)
    assert Model.two() == Model().three() == (Model, inside)


def test_one_object_in_two_threads():
    off = mg.no_grad()
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with off:
            entered.set()
            leave.wait(5)
        assert mg.is_grad_enabled()

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(5)
    with off:
        leave.set()
        thread.join()
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()


def test_a_class_is_no_function():
    with pytest.raises(ConfigError, match="MG-802"):
        mg.no_grad()(dict)


def test_a_wrong_argument_is_told_where_it_is_written():
    with pytest.raises(ConfigError, match="MG-802 int objects"):
        mg.no_grad(3)
    with pytest.raises(TypeError):
        mg.hooks(sideways=_told)
    with pytest.raises(ConfigError, match="MG-802"), mg.accumulate(0):
        pass


def test_threads_have_their_own(mode):
    made, look, outside, _ = mode
    if made is mg.enable_grad:
        outside = True  # a thread begins with the defaults
    seen = []
    with made():
        thread = threading.Thread(target=lambda: seen.append(look()))
        thread.start()
        thread.join()
    assert seen == [outside]


def test_hooks_are_called_in_the_order_of_their_blocks():
    told = []
    with mg.hooks(update=lambda _: told.append("outer")), mg.hooks(update=lambda _: told.append("inner")):
        w = mg.Tensor(np.ones(1), requires_grad=True)
        (w * w).sum().backward()
        mg.optim.SGD([w], lr=0.1).step()
    assert told == ["outer", "inner"]
