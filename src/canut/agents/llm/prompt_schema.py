"""The JSON Schema of an answer as servers of language models take it, and the way back.

Servers that hold a model to a schema know a part of JSON Schema: every property is required, so
one that may be missing may be null instead; conditions and patterns are left out, for
`Question.normalise` checks them anyway. The answer is wrapped, so that `null` can say that the
item does not tell.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from canut.agents.llm.wire import NAME

#: with more options than this, a model is shown the likeliest only
OPTIONS_MAX = 100

_KEPT = ("type", "enum", "description")


class Unreadable(ValueError):
    """A reply that is not the JSON that was asked for."""


def wrapped(schema: Mapping[str, Any], likely: Collection[str] = ()) -> dict[str, Any]:
    """The schema of `{"answer": ...}`. Of a long list of options, those that are `likely` stay."""
    answer = _nullable(_simple(schema, frozenset(likely)))
    return {
        "type": "object",
        "properties": {NAME: answer},
        "required": [NAME],
        "additionalProperties": False,
    }


def _simple(schema: Mapping[str, Any], likely: frozenset[str]) -> dict[str, Any]:
    kept = {key: schema[key] for key in _KEPT if key in schema}
    if len(kept.get("enum", ())) > OPTIONS_MAX:
        kept["enum"] = [value for value in kept["enum"] if value in likely]
        if not kept["enum"]:
            # servers refuse an empty list; whatever comes is judged by the question
            del kept["enum"]
    if "items" in schema:
        kept["items"] = _simple(schema["items"], likely)
    if "properties" in schema:
        required = schema.get("required", ())
        parts = {name: _simple(part, likely) for name, part in schema["properties"].items()}
        kept["properties"] = {
            name: part if name in required else _nullable(part) for name, part in parts.items()
        }
        kept["required"] = list(parts)
        kept["additionalProperties"] = False
    return kept


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def unwrap(text: str) -> Any:
    """The answer in a reply, without what is null; None where the model answers nothing.

    Around the JSON there may be a fence of Markdown and, before it, a model's thoughts: those
    come from servers that cannot hold it to a schema. Raises `Unreadable` for anything else.
    """
    plain = text.rpartition("</think>")[2].strip()
    if plain.startswith("```") and plain.endswith("```") and "\n" in plain:
        plain = plain.partition("\n")[2].removesuffix("```")
    try:
        found = msgspec.json.decode(plain)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Unreadable("is not JSON") from error
    if not isinstance(found, dict) or set(found) != {NAME}:
        raise Unreadable(f'is not an object with "{NAME}" alone')
    return _without_null(found[NAME])


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_null(part) for part in value]
    return value
