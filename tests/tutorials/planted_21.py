"""Tutorial 21: solutions, and wrong answers under words that their hints must contain."""


def backwards(made, results):
    found, wanted = [], set(results)
    for name in reversed(made):
        if name in wanted:
            wanted.update(made[name])
            found.append(name)
    return found


def needed(made, results):
    return backwards(made, results)[::-1]


def read_by_somebody(made, results):
    read = {name for reads in made.values() for name in reads} | set(results)
    return [name for name in made if name in read]


def direct(made, results):
    wanted = set(results) | {name for each in results for name in made[each]}
    return [name for name in made if name in wanted and name not in ("a", "b")]


def by_line(lives, end=1):
    return [
        sum(size for first, last, size in lives if first <= line < last + end)
        for line in range(max(last for _, last, _ in lives) + 1)
    ]


def peak(lives):
    return max(by_line(lives))


SOLUTIONS = {"21.1": needed, "21.2": peak, "21.3": (-6, -3)}
WRONG = {
    "21.1": {
        "turn the list round": backwards,
        "x is given": lambda made, results: ["x", *needed(made, results)],
        "counts for nothing": lambda made, results: list(made),
        "not in their order": lambda made, results: (
            sorted(needed(made, results), reverse=True)[1:] + sorted(needed(made, results), reverse=True)[:1]
        ),
        "is missing": direct,
        "a list of names": lambda made, results: len(needed(made, results)),
    },
    "21.2": {
        "all of them together": lambda lives: sum(size for _, _, size in lives),
        "the largest buffer": lambda lives: max(size for _, _, size in lives),
        "both ends are included": lambda lives: max(by_line(lives, 0)),
        "how many are alive": lambda lives: max(by_line([(a, b, 1) for a, b, _ in lives])),
        "number of the line": lambda lives: by_line(lives).index(peak(lives)),
        "lives at its own line": lambda lives: peak(
            [each for each in lives if each[1] > each[0]] or [(0, 0, 0)]
        ),
    },
    "21.3": {
        "the rate of the trace too": (-15, -3),
        "swapped": (-3, -6),
        "does not decide anew": (-3, -3),
        "does decide": (-6, -15),
        "whatever the rate is": (-6, -6),
        "two numbers are wanted": -6,
    },
}
