"""The OpenAPI 3.1 document, built from what each route says about itself.

Types are turned into JSON Schema by msgspec, from the very types that decode and encode.
"""

from collections.abc import Iterable
from typing import Any, get_origin

import msgspec
from litestar.handlers import HTTPRouteHandler

from canut import __version__
from canut.sdk import values as v
from canut.web.api.describe import JSON, Operation

DESCRIPTION = """Hand work over, answer tasks, take decisions away.

Send an API key as `Authorization: Bearer ck_...`. Times are integer milliseconds UTC (`_ms`).
Lists come in pages: pass `next` of one as `cursor` of the next. A POST that makes something
takes an `Idempotency-Key`: a retry with the same key gets the same reply, for 24 hours. Refusals
are problem details (RFC 9457) with a `code` for programs and every problem in `problems`.
"""

TAGS = {
    "batches": "What clients hand over and take away.",
    "certificates": "What is proved about decisions, and what clients contest.",
    "processes": "What can be outsourced.",
    "work": "What contributors claim and answer.",
    "money": "What work costs a client.",
    "pay": "What contributors earn, and where it goes.",
    "webhooks": "Deliveries, announced.",
    "people": "Who uses the platform.",
}
#: refusals that any request may meet
ALWAYS = (401, 403, 429, 503)

_DESCRIPTIONS = {
    200: "Done",
    201: "Made",
    204: "Done; nothing to say",
    304: "You have it already",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of your own for this request: a retry with the same name gets the same "
    "reply, for 24 hours.",
    "schema": {"type": "string", "maxLength": 200, "pattern": "^[ -~]{1,200}$"},
    "example": "b7c1c0b0-0001",
}


def build(handlers: Iterable[HTTPRouteHandler], url: str) -> dict[str, Any]:
    """The document for these routes, served at `url`."""
    described = [
        (handler, handler.opt["operation"]) for handler in handlers if "operation" in handler.opt
    ]
    schemas = _Schemas([operation for _, operation in described])
    paths: dict[str, Any] = {}
    for handler, operation in described:
        for path in handler.paths:
            template = _template(path)
            for method in handler.http_methods:
                entry = _operation(operation, template, schemas)
                paths.setdefault(template, {})[method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Canut",
            "version": __version__,
            "summary": "Outsourced work by people and AI agents, with proof and fair pay.",
            "description": DESCRIPTION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": url}],
        "security": [{"key": []}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {str(status): _refusal(status) for status in _statuses(described)},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, `ck_...`, with the scopes an operation names.",
                }
            },
        },
    }


class _Schemas:
    """JSON Schema of every type that travels, by name."""

    def __init__(self, operations: list[Operation]):
        types = [
            type_
            for operation in operations
            for type_ in (operation.body, operation.reply, operation.query)
            if type_ is not None
        ]
        self._types = [*dict.fromkeys([*types, v.ProblemDetails])]
        schemas, self.components = msgspec.json.schema_components(
            self._types, ref_template="#/components/schemas/{name}"
        )
        self._by_type = dict(zip(map(repr, self._types), schemas, strict=True))
        for operation in operations:
            if operation.query is not None:
                self._forget(operation.query)

    def of(self, type_: Any) -> dict[str, Any]:
        """A reference to the schema of this type."""
        return self._by_type[repr(type_)]

    def parameters(self, type_: Any) -> list[dict[str, Any]]:
        """The fields of a Struct as query parameters."""
        [_], components = msgspec.json.schema_components(
            [type_], ref_template="#/components/schemas/{name}"
        )
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": _taken(schema, "description"),
                "schema": schema,
            }
            for name, schema in components[type_.__name__]["properties"].items()
        ]

    def _forget(self, type_: Any) -> None:
        """Query parameters are not bodies."""
        self.components.pop(type_.__name__, None)


def _taken(schema: dict[str, Any], key: str) -> str:
    """Take a text out of a schema, wherever a union has hidden it."""
    for part in [schema, *schema.get("anyOf", [])]:
        if key in part:
            return str(part.pop(key))
    return ""


def _operation(operation: Operation, path: str, schemas: _Schemas) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": _description(operation),
        "tags": [operation.tag],
        "parameters": _parameters(operation, path, schemas),
        "responses": {
            str(operation.status): _reply(operation, schemas),
            **{
                str(status): {"$ref": f"#/components/responses/{status}"}
                for status in _refused(operation)
            },
        },
    }
    if operation.body is not None:
        example = msgspec.to_builtins(operation.body_example)
        content = {JSON: {"schema": schemas.of(operation.body), "example": example}}
        entry["requestBody"] = {"required": True, "content": content}
    if operation.stream:
        entry["requestBody"] = {"required": True, "content": _streams(operation.stream)}
    return entry


def _description(operation: Operation) -> str:
    needs = " or ".join(f"`{scope}`" for scope in operation.scopes)
    scope = f"Needs a key with the scope {needs}." if needs else "Any key will do."
    return f"{operation.description} {scope}".strip()


def _parameters(operation: Operation, path: str, schemas: _Schemas) -> list[dict[str, Any]]:
    given = {parameter["name"] for parameter in operation.parameters}
    found = [*operation.parameters]
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    found += [_path_parameter(name) for name in names if name not in given]
    if operation.query is not None:
        found += schemas.parameters(operation.query)
    if operation.idempotent:
        found.append(_IDEMPOTENCY_KEY)
    return found


def _path_parameter(name: str) -> dict[str, Any]:
    if name == "slug":
        schema: dict[str, Any] = {"type": "string", "pattern": "^[a-z0-9-]+(/[a-z0-9-]+)*$"}
        example: Any = "catalogue/categorise"
        description = "Slug of the process."
    else:
        schema = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
        example, description = 12, "Its number."
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def _reply(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    said: dict[str, Any] = {"description": _DESCRIPTIONS[operation.status]}
    if operation.reply is not None:
        example = msgspec.to_builtins(operation.reply_example)
        said["content"] = {JSON: {"schema": schemas.of(operation.reply), "example": example}}
    if operation.reply_stream:
        said["content"] = _streams(operation.reply_stream)
    if get_origin(operation.reply) is v.Page:
        said["headers"] = {
            "Link": {
                "description": 'The next page, `rel="next"` (RFC 8288); none at the end.',
                "schema": {"type": "string"},
            }
        }
    return said


def _streams(examples: dict[str, str]) -> dict[str, Any]:
    """Bodies that are streams: text with an example, or bytes."""
    content: dict[str, Any] = {}
    for media_type, example in examples.items():
        content[media_type] = {"schema": {"type": "string"}, "example": example} if example else {}
    return content


def _refusal(status: int) -> dict[str, Any]:
    # here, because the pages of errors import the pages, which import what serves errors
    from canut.web.errors import PROBLEM_JSON, STATUS, TITLE

    code = next(code for code, known in STATUS.items() if known == status)
    example: dict[str, Any] = {
        "type": f"urn:canut:problem:{code}",
        "title": TITLE[code],
        "status": status,
        "detail": TITLE[code],
        "instance": "/api/v1/batches",
        "code": code,
    }
    if status == 422:
        example["problems"] = [{"message": "This is missing.", "field": "process"}]
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        "description": TITLE[code],
        "content": {PROBLEM_JSON: {"schema": schema, "example": example}},
    }


def _refused(operation: Operation) -> list[int]:
    """What an operation may be refused with: what can be said wrongly can be refused."""
    unfit = (422,) if operation.query is not None or operation.idempotent else ()
    return sorted({*ALWAYS, *unfit, *operation.refuses})


def _statuses(described: list[tuple[HTTPRouteHandler, Operation]]) -> list[int]:
    return sorted({status for _, operation in described for status in _refused(operation)})


def _template(path: str) -> str:
    """A path of ours as OpenAPI writes it: without the types of its parameters."""
    parts = [
        "{" + part[1:-1].partition(":")[0] + "}" if part.startswith("{") else part
        for part in path.split("/")
    ]
    return "/".join(parts)
