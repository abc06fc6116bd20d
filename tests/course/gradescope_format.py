"""What may stand in Gradescope's results.json, written from its documentation (Autograder Specifications)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")


def number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def text(value: Any) -> bool:
    return type(value) is str and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and value in allowed


def dictionary(value: Any) -> bool:
    return type(value) is dict


def list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and all(map(fits, value))


def row(value: Any) -> bool:
    return (
        dictionary(value)
        and set(value) <= {"name", "value", "order"}
        and text(value.get("name"))
        and (number(value.get("value")) or text(value.get("value")))
        and value.get("order", "asc") in ("asc", "desc")
    )


TEST = {
    "score": number,
    "max_score": number,
    "status": one_of("passed", "failed"),
    "name": text,
    "name_format": one_of(*FORMATS),
    "number": text,
    "output": text,
    "output_format": one_of(*FORMATS),
    "tags": list_of(text),
    "visibility": one_of(*VISIBILITY),
    "extra_data": dictionary,
}
RESULT = {
    "score": number,
    "execution_time": number,
    "output": text,
    "output_format": one_of(*FORMATS),
    "test_output_format": one_of(*FORMATS),
    "test_name_format": one_of(*FORMATS),
    "visibility": one_of(*VISIBILITY),
    "stdout_visibility": one_of(*VISIBILITY),
    "extra_data": dictionary,
    "tests": list_of(dictionary),
    "leaderboard": list_of(row),
}


def faults(written: bytes) -> list[str]:
    """Say what Gradescope would not understand in a results.json; nothing where all is well."""
    try:
        result = json.loads(written.decode("utf-8"), parse_constant=lambda name: name)
    except ValueError as error:
        return [f"no JSON: {error}"]
    if not dictionary(result):
        return ["no object"]
    found = _of_fields(result, RESULT, "")
    tests = (
        [test for test in result["tests"] if dictionary(test)]
        if dictionary(result) and type(result.get("tests")) is list
        else []
    )
    for k, test in enumerate(tests):
        found += _of_fields(test, TEST, f"test {k}: ")
    if "score" not in result and not (tests and all("score" in test for test in tests)):
        found.append("a score is missing, at the top or of a test")
    return found


def _of_fields(content: dict[str, Any], fields: dict[str, Callable[[Any], bool]], where: str) -> list[str]:
    return [
        f"{where}{name} = {value!r:.60}" if name in fields else f"{where}there is no field {name}"
        for name, value in content.items()
        if name not in fields or not fields[name](value)
    ]
