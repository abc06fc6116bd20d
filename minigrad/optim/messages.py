"""What ``step()`` says where something is wrong with the gradients that it was given."""

from __future__ import annotations

from minigrad.errors import GradientError, OptimizerError

EVAL_MODE = (
    "step() in eval mode: dropout was off when the gradient was computed. Call model.train() before the forward "
    "pass of a training step, and model.eval() before evaluation."
)


def used_again(name: str, passes: int, before: int) -> str:
    """Say that a step was made with a gradient that was not zeroed after the last one."""
    return (
        f"{name}.grad is the sum of {passes} backward passes, and {before} of them went into the step before. "
        "Call opt.zero_grad() after each step."
    )


def lost(loss: float, t: int, rate: float) -> str:
    """Say that the loss is no number any more."""
    return (
        f"the loss is {loss} at step {t} (lr = {rate:.4g}). What follows from it is no training any more: a NaN in a "
        "gradient makes the parameters NaN for good. Run the forward pass inside 'with mg.debug():', which names the "
        "operation where the first one appears. A logarithm or a division of 0, or a rate that is too large?"
    )


def no_gradient(missing: list[str]) -> OptimizerError:
    """Return the error for a step with no gradient at all."""
    return OptimizerError(
        "MG-503",
        f"step() before backward(): none of the {len(missing)} parameters has a gradient. An update needs "
        "dJ/dθ, which backward() computes and zero_grad() throws away. "
        "The order is: opt.zero_grad(); loss.backward(); opt.step(), each with its parentheses.",
    )


def _layers(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))


def independent(missing: list[str], used: list[str], optimizer: str) -> GradientError:
    """Return the error for parameters that never had a gradient, beside the others that have one."""
    unused = [layer for layer in _layers(missing) if layer not in _layers(used)] or missing
    one = len(missing) == 1
    return GradientError(
        "MG-209",
        f"{', '.join(missing)} {'has' if one else 'have'} no gradient and never had one: the loss does not depend on "
        f"{'it' if one else 'them'}. Either forward made no use of {', '.join(unused)}, or the graph was cut on the "
        "way, as .detach(), .numpy() and mg.no_grad() do. "
        f"With a gradient: {', '.join(_layers(used))}. Use it in forward, leave it out of the optimizer, or freeze it: "
        f"p.requires_grad_(False). Where it is used only now and then: {optimizer}(…, allow_unused=True), which "
        "leaves it as it is in the steps without.",
    )
