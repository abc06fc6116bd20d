"""Modes: with blocks left in any order, and decorators of functions of all four kinds."""

from __future__ import annotations

import asyncio
import gc
import inspect
import random
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import blocks, modes
from minigrad.errors import ConfigError, MinigradWarning, NonFiniteError


def seen() -> tuple[Any, ...]:
    """What each of the modes says here and now."""
    hooked = modes.hooked.get()
    return (
        modes.recording.get(),
        modes.fusing.get(),
        modes.accumulated_passes.get(),
        modes.checksumming.get(),
        tuple(len(functions) for functions in hooked),
    )


OUTSIDE = (True, True, 1, False, (0, 0, 0, 0))
INSIDE: dict[str, tuple[Callable[[], Any], tuple[Any, ...]]] = {
    "no_grad": (mg.no_grad, (False, True, 1, False, (0, 0, 0, 0))),
    "enable_grad": (mg.enable_grad, OUTSIDE),
    "unfused": (mg.unfused, (True, False, 1, False, (0, 0, 0, 0))),
    "accumulate": (lambda: mg.accumulate(3), (True, True, 3, False, (0, 0, 0, 0))),
    "hooks": (lambda: mg.hooks(update=print), (True, True, 1, False, (0, 0, 0, 1))),
    "debug": (mg.debug, (True, True, 1, True, (3, 0, 1, 0))),
}


@pytest.fixture(params=INSIDE)
def mode(request: pytest.FixtureRequest) -> tuple[Callable[[], Any], tuple[Any, ...]]:
    return INSIDE[request.param]


def test_no_mode_dodges_this_file() -> None:
    found = set()
    for name in mg.__all__:
        value = getattr(mg, name)
        if inspect.isfunction(value) and "Mode" in str(value.__annotations__.get("return")):
            found.add(name)
    assert found == set(INSIDE)


def test_block(mode: Any) -> None:
    make, inside = mode
    block = make()
    for _ in range(2):
        with block:
            assert seen() == inside
        assert seen() == OUTSIDE


def test_function(mode: Any) -> None:
    make, inside = mode

    @make()
    def function(depth: int) -> Any:
        """Doc."""
        now = seen()
        assert now[:4] == inside[:4]
        return now if not depth else function(depth - 1)

    assert function(0) == inside
    function(2)
    assert seen() == OUTSIDE
    assert (function.__name__, function.__doc__) == ("function", "Doc.")


def test_generator(mode: Any) -> None:
    make, inside = mode
    caught = []

    @make()
    def generator(start: int) -> Generator[Any, Any, str]:
        try:
            sent = yield seen()
            yield (sent, seen())
        except KeyError:
            caught.append(seen())
            yield "caught"
        finally:
            caught.append(seen())
        return f"end {start}"

    assert inspect.isgeneratorfunction(generator)
    one, two = generator(1), generator(2)
    assert next(one) == inside
    assert seen() == OUTSIDE
    assert next(two) == inside
    assert one.send("hello") == ("hello", inside)
    assert two.throw(KeyError()) == "caught"
    assert seen() == OUTSIDE
    with pytest.raises(StopIteration) as end:
        next(one)
    assert end.value.value == "end 1"
    two.close()
    assert caught == [inside] * 3
    assert seen() == OUTSIDE


def test_coroutine(mode: Any) -> None:
    make, inside = mode

    @make()
    async def coroutine(n: int) -> int:
        for _ in range(n):
            assert seen() == inside
            await asyncio.sleep(0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(fails(), 1)
        assert seen() == inside
        return n

    async def fails() -> None:
        raise ZeroDivisionError

    async def main() -> list[int]:
        return await asyncio.gather(coroutine(1), coroutine(3), other(), coroutine(2))

    async def other() -> int:
        for _ in range(4):
            assert seen() == OUTSIDE
            await asyncio.sleep(0)
        return 0

    assert inspect.iscoroutinefunction(coroutine)
    assert asyncio.run(main()) == [1, 3, 0, 2]


def test_coroutines_driven_by_hand(mode: Any) -> None:
    make, inside = mode

    class Pause:
        def __await__(self) -> Generator[str, Any, Any]:
            return (yield "paused")

    @make()
    async def coroutine() -> Any:
        before = seen()
        return before, await Pause(), seen()

    one, two = coroutine(), coroutine()
    assert (one.send(None), two.send(None)) == ("paused", "paused")
    assert seen() == OUTSIDE
    with pytest.raises(StopIteration) as end:
        one.send(5)
    assert end.value.value == (inside, 5, inside)
    two.close()
    assert seen() == OUTSIDE


def test_asynchronous_generator(mode: Any) -> None:
    make, inside = mode
    left = []

    @make()
    async def numbers(n: int) -> Any:
        try:
            for i in range(n):
                await asyncio.sleep(0)
                assert seen() == inside
                got = yield i
                if got:
                    yield f"got {got}"
        except KeyError:
            yield "caught"
        finally:
            left.append(seen())

    async def main() -> None:
        found = []
        async for number in numbers(3):
            assert seen() == OUTSIDE
            found.append(number)
        assert found == [0, 1, 2]
        one, two = numbers(3), numbers(3)
        assert await anext(one) == 0
        assert await anext(two) == 0
        assert await one.asend("x") == "got x"
        assert await two.athrow(KeyError()) == "caught"
        assert seen() == OUTSIDE
        await one.aclose()
        await two.aclose()
        async for _ in numbers(3):
            break  # the rest is closed by another task
        gc.collect()
        await asyncio.sleep(0)
        assert seen() == OUTSIDE

    assert inspect.isasyncgenfunction(numbers)
    asyncio.run(main())
    assert left == [inside] * 4


def test_blocks_inside_a_decorated_generator_are_its_own(mode: Any) -> None:
    make, inside = mode

    @mg.enable_grad()
    def generator() -> Generator[Any, None, None]:
        with make():
            yield seen()
            yield seen()
        yield seen()

    with mg.no_grad():
        off = seen()
        running = generator()
        assert next(running) == inside
        assert seen() == off
        assert next(running) == inside
        assert next(running) == OUTSIDE
        assert seen() == off
    assert seen() == OUTSIDE


@pytest.mark.parametrize("end", ["close", "exhaust", "collect"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_generators_that_each_hold_a_block_leave_nothing_behind(
    mode: Any, order: tuple[int, int], end: str
) -> None:
    def holding() -> Generator[None, None, None]:
        with mode[0]():
            yield

    generators: list[Any] = [holding(), holding()]
    for generator in generators:
        next(generator)
    del generator
    for i in order:
        if end == "close":
            generators[i].close()
        elif end == "exhaust":
            assert next(generators[i], "done") == "done"
        else:
            generators[i] = None
            gc.collect()
    assert seen() == OUTSIDE


def test_blocks_in_any_order() -> None:
    """Against a model: what holds is the newest of the open blocks, and of hooks all together."""
    rng = random.Random(0)
    for _ in range(200):
        blocks: list[tuple[ExitStack, str, Any]] = []
        for _ in range(12):
            if blocks and rng.random() < 0.5:
                blocks.pop(rng.randrange(len(blocks)))[0].close()
            else:
                kind = rng.choice(["recording", "passes", "hooks"])
                value = rng.choice([True, False]) if kind == "recording" else rng.randrange(1, 5)
                made = {
                    "recording": lambda value=value: mg.enable_grad() if value else mg.no_grad(),
                    "passes": lambda value=value: mg.accumulate(value),
                    "hooks": lambda: mg.hooks(forward=print),
                }[kind]()
                stack = ExitStack()
                stack.enter_context(made)
                blocks.append((stack, kind, value))
            newest = {kind: value for _, kind, value in blocks}
            assert modes.recording.get() is newest.get("recording", True)
            assert modes.accumulated_passes.get() == newest.get("passes", 1)
            assert len(modes.hooked.get().forward) == sum(kind == "hooks" for _, kind, _ in blocks)
        for stack, _, _ in blocks:
            stack.close()
        assert seen() == OUTSIDE


def test_a_block_that_is_left_by_another_thread_changes_nothing_there() -> None:
    def holding() -> Generator[None, None, None]:
        with mg.no_grad():
            yield

    generator = holding()
    found = []

    def elsewhere() -> None:
        found.append(seen())
        with mg.accumulate(2):
            generator.close()
            found.append(modes.accumulated_passes.get())
        found.append(seen())

    with mg.unfused():
        next(generator)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert found == [OUTSIDE, 2, OUTSIDE]
    blocks._hold(())


def test_a_decorated_generator_records_what_it_should() -> None:
    w = mg.Tensor([2.0], requires_grad=True)

    @mg.no_grad()
    def without() -> Generator[mg.Tensor, None, None]:
        yield w * 3.0
        yield w * 4.0

    for inside in without():
        assert not inside.requires_grad
        assert (w * inside).requires_grad


def test_debug_as_a_decorator_checks_at_the_end_of_each_call() -> None:
    @mg.debug()
    def logarithms() -> Generator[Any, None, None]:
        yield np.log(mg.Tensor([1.0], requires_grad=True))
        yield np.log(mg.Tensor([0.0], requires_grad=True))

    running = logarithms()
    next(running)
    np.log(mg.Tensor([1.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        np.log(mg.Tensor([0.0], requires_grad=True))  # out here nobody looks
        with pytest.raises(NonFiniteError, match="MG-403"):
            next(running)

    @mg.debug()
    def alike() -> None:
        layers = mg.nn.Sequential(mg.nn.Linear(3, 4), mg.nn.Linear(4, 2))
        for layer in layers.parameters():
            layer.data = np.ones(layer.shape, "float32")
        (layers(mg.Tensor([[1.0, 2.0, 3.0]])) ** 2).sum().backward()

    with pytest.warns(MinigradWarning, match="MG-406"):
        alike()


@pytest.mark.parametrize("passes", [0, -1, 2.0, "2", None, True, float("nan"), np.array([2, 3])])
def test_accumulate_wants_a_whole_number(passes: Any) -> None:
    with pytest.raises(ConfigError, match="MG-802 accumulate needs 1 or more"):
        mg.accumulate(passes)
    with mg.accumulate(np.int64(2)):
        assert modes.accumulated_passes.get() == 2


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"MG-802 hooks\(backward=…\) needs a function, not 3"):
        mg.hooks(backward=3)
    with pytest.raises(ConfigError, match="MG-802 property objects"):
        mg.no_grad()(property(lambda self: 1))
