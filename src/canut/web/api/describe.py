"""What a route says about itself, for the OpenAPI document and the reference page.

A route carries its `Operation` in its `opt`; examples are values of the types that travel, so
they cannot disagree with them.
"""

from typing import Any

from msgspec import Struct

from canut.web.auth import requires

JSON = "application/json"


class Operation(Struct, frozen=True, kw_only=True):
    """One request of the API."""

    #: unique name, for generated clients
    name: str
    summary: str
    description: str = ""
    tag: str
    #: scopes, one of which the key must have; none: any key
    scopes: tuple[str, ...] = ()
    #: type of the query parameters, a Struct
    query: Any = None
    #: query parameters that `query` cannot name, as OpenAPI objects
    parameters: tuple[dict[str, Any], ...] = ()
    #: type of the JSON body
    body: Any = None
    body_example: Any = None
    #: example of a body that is a stream, by media type
    stream: dict[str, str] = {}
    status: int = 200
    #: type of the JSON reply; None: no body
    reply: Any = None
    reply_example: Any = None
    #: schema and example of a reply that is a stream, by media type
    reply_stream: dict[str, Any] = {}
    #: statuses of refusals besides 401, 403, 429 and 503
    refuses: tuple[int, ...] = ()
    #: takes an Idempotency-Key
    idempotent: bool = False


def described(operation: Operation, **more: Any) -> dict[str, Any]:
    """`opt` of a route."""
    return {**requires(*operation.scopes), "operation": operation, **more}
