"""Exercises of the tutorials: the learner hands in an answer and reads at once whether it is right.

In a notebook, the learner's cell holds a starting point and its check:

    from minigrad.exercises import exercise

    def bias_gradient(delta):
        ...

    check = exercise("04.2")  # tutorial 04, exercise 2
    check(bias_gradient)      # prints "04.2 right: …" or "04.2 not yet: …"; its value is true or false

A check never raises for a wrong answer, also not where the learner's function raises: it says what was raised, and
in which line. As shipped, every placeholder (None, ``...``, a function whose body is ``...``) is "not yet".

For authors: the checks of tutorial 04 live in ``t04.py`` in this package, one function per exercise, which takes
what the learner handed in and returns None where it is right, otherwise a hint aimed at the likely slip:

    from minigrad.exercises.checking import NotYet, answer, array, call, judge

    @answer("04.2", right="every row of the batch uses the same bias, so its gradient is the sum over the rows.")
    def bias_gradient(given: Any) -> str | None:
        delta = np.arange(6.0).reshape(3, 2)
        return judge(
            call(given, delta),   # runs the learner's function on copies; says so where it raises or returns None
            delta.sum(axis=0),    # worked out independently
            {"sum over the rows: each of them uses the bias.": delta,
             "the sum, not the mean: dL/db adds the rows up.": delta.mean(axis=0)},
            otherwise="the gradient of a bias is the incoming gradient, summed over the axis it was stretched along.",
        )

``judge`` compares numbers (learners may hand in numbers, lists, arrays or Tensors) and picks the hint of the slip
whose numbers were handed in; ``array`` and ``number`` turn an answer into an array or one number, ``parts`` takes a
tuple of so many apart; raise ``NotYet(hint)`` from anywhere inside. A learner hands in anything at all, so nothing of
an answer is touched before one of these has looked at it (``tests/tutorials/test_wrong_kinds.py`` tries them all). A
check that is about a property (a function has its minimum there, a class has a method) is plain Python.

Solutions and wrong answers never enter the installed package; they are test data, ``tests/tutorials/planted_04.py``:

    SOLUTIONS = {"04.1": 3.0, "04.2": lambda delta: delta.sum(axis=0), "04.3": …}
    WRONG = {  # per exercise at least two wrong answers, each under words that its hint must contain
        "04.2": {"sum over the rows": lambda delta: delta, "not the mean": lambda delta: delta.mean(axis=0)},
    }
    PLACEHOLDERS = {}  # optional: "04.3": a placeholder beyond None, ... and a function that returns None

``tests/tutorials/test_exercises.py`` walks all of them.
"""

from minigrad.exercises.checking import Exercise, exercise, registered

__all__ = ["Exercise", "exercise", "registered"]
