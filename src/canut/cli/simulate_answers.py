"""Answers of simulated contributors: right ones, sensible mistakes, guesses.

Everything is read from the JSON Schema of an answer, so that any question type is served. Chance
is an argument.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

#: what separates several options in a cell
SEPARATOR = "|"
#: a wrong number is off by this share, at least and at most
NOISE = (0.1, 0.5)


def as_answer(schema: Schema, raw: Any, row: Mapping[str, Any]) -> Any:
    """The truth of a file as an answer of this shape; None where the file says nothing.

    `raw` is the cell of the truth column; a record takes its fields from the columns of the
    `row` that have their names.
    """
    match schema.get("type"):
        case "object":
            given = {
                name: as_answer(field, row.get(name), row)
                for name, field in schema["properties"].items()
            }
            return {name: value for name, value in given.items() if value is not None} or None
        case "array":
            return _several(raw)
        case "integer":
            return None if raw in (None, "") else round(float(raw))
        case "number":
            return None if raw in (None, "") else float(raw)
        case "boolean":
            return None if raw in (None, "") else str(raw).lower() in ("true", "1", "yes", "oui")
    return None if raw in (None, "") else str(raw).strip()


def _several(raw: Any) -> list[str] | None:
    if raw is None:
        return None
    parts = raw.split(SEPARATOR) if isinstance(raw, str) else raw
    return [str(part).strip() for part in parts if str(part).strip()]


def answer(schema: Schema, truth: Any, error: float, chance: Random) -> Any:
    """What a contributor says who errs with this probability; a record errs field by field.
    Without a truth it is a guess."""
    if truth is None:
        return guess(schema, chance)
    if schema.get("type") == "object":
        given = {
            name: answer(field, truth.get(name), error, chance)
            for name, field in schema["properties"].items()
            if name in truth
        }
        return _completed(schema, given, chance)
    return mistake(schema, truth, chance) if chance.random() < error else truth


def mistake(schema: Schema, truth: Any, chance: Random) -> Any:
    """A wrong answer that somebody could give: another option, a neighbour on the scale, a number
    that is off, a text with a slip. The truth itself where there is no other answer."""
    if "enum" in schema:
        return _other(schema["enum"], truth, chance)
    match schema.get("type"):
        case "array":
            return _toggled(schema, truth, chance)
        case "integer":
            return _neighbour(schema, truth, chance)
        case "number":
            return _noisy(schema, truth, chance)
        case "boolean":
            return not truth
    return _slip(str(truth), chance)


def guess(schema: Schema, chance: Random) -> Any:
    """Any answer of this shape."""
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            return _completed(schema, {}, chance)
        case "array":
            options = list(schema.get("items", {}).get("enum", ()))
            most = min(schema.get("maxItems", len(options)), len(options))
            count = chance.randint(min(schema.get("minItems", 0), most), most) if options else 0
            return chance.sample(options, count)
        case "integer":
            return chance.randint(schema.get("minimum", 0), schema.get("maximum", 100))
        case "number":
            return chance.uniform(schema.get("minimum", 0), schema.get("maximum", 100))
        case "boolean":
            return chance.random() < 0.5
    return "?"


def _other(options: Sequence[Any], truth: Any, chance: Random) -> Any:
    # one draw among the others, without copying a taxonomy of 10,000 classes
    for _ in range(20):
        drawn = chance.choice(options)
        if drawn != truth:
            return drawn
    return truth


def _toggled(schema: Schema, truth: Sequence[Any], chance: Random) -> list[Any]:
    """One option too many, or one too few, as far as the bounds let it."""
    options = schema.get("items", {}).get("enum", ())
    missing = [option for option in options if option not in truth]
    may_add = missing and len(truth) < schema.get("maxItems", len(options))
    may_drop = len(truth) > schema.get("minItems", 0)
    if may_add and (not may_drop or chance.random() < 0.5):
        return [*truth, chance.choice(missing)]
    if may_drop:
        dropped = chance.randrange(len(truth))
        return [option for place, option in enumerate(truth) if place != dropped]
    return [*list(truth)[:-1], chance.choice(missing)] if missing and truth else list(truth)


def _neighbour(schema: Schema, truth: int, chance: Random) -> int:
    around = [truth - 1, truth + 1]
    low, high = schema.get("minimum", min(around)), schema.get("maximum", max(around))
    possible = [point for point in around if low <= point <= high]
    return chance.choice(possible) if possible else truth


def _noisy(schema: Schema, truth: float, chance: Random) -> float:
    """Off by a good part of it, to the side where there is room."""
    off = abs(truth) * chance.uniform(*NOISE) or 1.0
    off = off if chance.random() < 0.5 else -off
    for value in (truth + off, truth - off):
        if schema.get("minimum", value) <= value <= schema.get("maximum", value):
            return float(value)
    ends = [schema.get("minimum", truth), schema.get("maximum", truth)]
    return float(next((end for end in ends if end != truth), truth))


def _slip(text: str, chance: Random) -> str:
    """Two neighbouring letters change places, or one is missing, so that it never is the same."""
    places = [i for i in range(len(text) - 1) if text[i] != text[i + 1]]
    if not places:
        return f"{text}e"
    place = chance.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _completed(schema: Schema, given: dict[str, Any], chance: Random) -> dict[str, Any]:
    """The record with what it must have: what is required always, and what is required because
    of what another field says."""
    properties = schema["properties"]

    def need(names: Sequence[str]) -> None:
        for name in names:
            if name not in given:
                given[name] = _first_nonempty(partial(guess, properties[name], chance))

    need(schema.get("required", ()))
    for condition in schema.get("allOf", ()):
        if Draft202012Validator(condition["if"]).is_valid(given):
            need(condition["then"]["required"])
        else:
            for name in condition["then"]["required"]:
                given.pop(name, None)
    return {name: given[name] for name in properties if name in given}


def _first_nonempty(draw: Callable[[], Any]) -> Any:
    value = draw()
    for _ in range(20):
        if value not in ([], ""):
            break
        value = draw()
    return value
