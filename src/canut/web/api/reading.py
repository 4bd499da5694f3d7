"""Reading requests: fast where they are right; every problem is told where they are not."""

from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from litestar.exceptions import HTTPException
from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.web.auth import WebRequest

T = TypeVar("T")

#: largest id that PostgreSQL has room for
ID_MAX = 2**63 - 1
_ANYTHING = msgspec.json.Decoder()


class Reader:
    """Decodes the JSON body of a route; made once per type."""

    def __init__(self, type_: Any):
        self.type = type_
        self.decoder = msgspec.json.Decoder(type_)

    async def read(self, request: WebRequest) -> Any:
        """The body. Raises `Invalid` with a problem per field that does not fit."""
        return self.decode(await json_body(request))

    def decode(self, content: bytes) -> Any:
        """The same, of bytes at hand."""
        try:
            return _decoded(self.decoder, content)
        except msgspec.ValidationError as error:
            # what does not fit is seen before the end, behind which it may be no JSON at all
            raw = _decoded(_ANYTHING, content)
            problems = fit_problems(raw, self.type) or [_problem(error, "")]
            raise Invalid("The request does not fit.", problems=problems) from None


def _decoded(decoder: msgspec.json.Decoder[Any], content: bytes) -> Any:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(f"The body is not JSON: {error}", status_code=400) from None


async def json_body(request: WebRequest) -> bytes:
    """The bytes of a body that says it is JSON, or does not say what it is."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise HTTPException(f"Send application/json, not {kind}.", status_code=415)
    return await request.body()


def read_query(request: WebRequest, type_: type[T], lists: tuple[str, ...] = ()) -> T:
    """The query parameters; those named in `lists` may be repeated. Raises `Invalid` with a
    problem per parameter that does not fit."""
    raw: dict[str, Any] = {}
    text = request.scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(text, keep_blank_values=True):
        raw[name] = [*raw.get(name, ()), value] if name in lists else value
    try:
        return msgspec.convert(raw, type_, strict=False)
    except msgspec.ValidationError as error:
        problems = fit_problems(raw, type_, strict=False) or [_problem(error, "")]
        raise Invalid("The request does not fit.", problems=problems) from None


def fit_problems(raw: Any, type_: Any, path: str = "", *, strict: bool = True) -> list[Problem]:
    """Everything in `raw` that does not fit `type_`: Structs and lists are looked into."""
    inner = _struct_of(type_)
    if inner is not None and isinstance(raw, dict):
        return _struct_problems(raw, inner, path, strict=strict)
    if get_origin(_bare(type_)) is list and isinstance(raw, list):
        [item] = get_args(_bare(type_))
        found = [
            problem
            for place, value in enumerate(raw, start=1)
            for problem in fit_problems(value, item, f"{path}[{place - 1}]", strict=strict)
        ]
        if found:
            return found
    try:
        msgspec.convert(raw, type_, strict=strict)
    except msgspec.ValidationError as error:
        return [_problem(error, path)]
    return []


def _struct_problems(
    raw: dict[str, Any], type_: type[Struct], path: str, *, strict: bool
) -> list[Problem]:
    hints = get_type_hints(type_, include_extras=True)
    problems = []
    for field in msgspec.structs.fields(type_):
        place = f"{path}.{field.name}" if path else field.name
        if field.encode_name in raw:
            problems += fit_problems(
                raw[field.encode_name], hints[field.name], place, strict=strict
            )
        elif field.required:
            problems.append(Problem("This is missing.", file="request", field=place))
    if type_.__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in msgspec.structs.fields(type_)}
        problems += [
            Problem(
                "This is not known here.",
                mend=f"known are: {', '.join(sorted(known))}",
                file="request",
                field=(f"{path}.{name}" if path else name)[:200],
            )
            for name in raw
            if name not in known
        ]
    return problems


def _problem(error: msgspec.ValidationError, path: str) -> Problem:
    # msgspec says "Expected `int`, got `str` - at `$.answers[0].task`"
    message, _, place = str(error).partition(" - at `$")
    return Problem(message, file="request", field=(path + place.rstrip("`")).strip("."))


def _bare(type_: Any) -> Any:
    return get_args(type_)[0] if hasattr(type_, "__metadata__") else type_


def _struct_of(type_: Any) -> type[Struct] | None:
    bare = _bare(type_)
    return bare if isinstance(bare, type) and issubclass(bare, Struct) else None
