"""Requests that name an Idempotency-Key are served once; a retry gets the same reply."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response

from canut.errors import Conflict, Invalid, Problem
from canut.people.credentials import token_hash
from canut.people.store import idempotency as store
from canut.web.api.reading import Reader, json_body
from canut.web.api.replying import Json, encode
from canut.web.auth import WebRequest, asked, house, principal
from canut.web.i18n import N_

HEADER = "idempotency-key"
LENGTH_MAX = 200
_NONCE = 16


class InProgress(Conflict):
    """The request that first used this key is still being served."""

    #: when its reply will probably be there
    retry_after_s = 1


async def create(
    request: WebRequest, reader: Reader, make: Callable[[WebRequest, Any], Awaitable[Any]]
) -> Json:
    """Serve a POST that makes something: 201 with what `make` returns, once per key.

    Raises `Conflict` for a key that another request has used.
    """
    content = await json_body(request)
    body = reader.decode(content)
    key = request.headers.get(HEADER)
    if key is None:
        return _made(encode(await make(request, body)))
    if not (0 < len(key) <= LENGTH_MAX and key.isascii() and key.isprintable()):
        mend = f"1 to {LENGTH_MAX} printable ASCII characters"
        problem = Problem("This cannot be an Idempotency-Key.", mend, field="Idempotency-Key")
        raise Invalid("The request does not fit.", problems=[problem])
    return await _once(request, key, content, lambda: make(request, body))


async def _once(
    request: WebRequest, key: str, content: bytes, make: Callable[[], Awaitable[Any]]
) -> Json:
    who = _owner(request)
    path = f"{request.method} {request.scope['path']}\n".encode()
    request_hash = hashlib.sha256(path + content).digest()
    async with house(request).connection() as conn:
        kept = await store.take_key(conn, who, key, request_hash)
    if kept is not None:
        return _again(kept, request_hash, request, key)
    try:
        made = encode(await make())
    except BaseException:
        async with house(request).connection() as conn:
            await store.forget_key(conn, who, key)
        raise
    async with house(request).connection() as conn:
        await store.keep_reply(conn, who, key, 201, _lock(made, request, key))
    return _made(made)


def _owner(request: WebRequest) -> str:
    """Whose key it is: of a person, this session's, because only its secret unlocks the reply."""
    who = principal(request)
    if not who.session:
        return who.key
    return f"{who.key}:{token_hash(asked(request).token or '').hex()[:16]}"


def _again(kept: store.Kept, request_hash: bytes, request: WebRequest, key: str) -> Json:
    if kept.request_hash != request_hash:
        raise Conflict(
            "Another request has used this Idempotency-Key.", mend="use a new key per request"
        )
    if kept.status is None or kept.response is None:
        raise InProgress(
            N_("The request that first used this Idempotency-Key is still being served."),
            mend=N_("try again in a second"),
        )
    response = _made(_unlock(kept.response, request, key))
    response.headers["idempotent-replayed"] = "true"
    return response


def _made(content: bytes) -> Json:
    return Response(
        content,
        status_code=201,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


def _lock(reply: bytes, request: WebRequest, key: str) -> bytes:
    """A reply may hold a secret that is shown once, and the database must not: it is enciphered
    with the caller's own secret, of which we keep only a hash, and a nonce."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + cipher(reply, nonce, asked(request).token or "", key)


def _unlock(kept: bytes, request: WebRequest, key: str) -> bytes:
    return cipher(kept[_NONCE:], kept[:_NONCE], asked(request).token or "", key)


def cipher(content: bytes, nonce: bytes, token: str, key: str) -> bytes:
    """Lock, or unlock what is locked: SHAKE256 over a secret of 256 bits and a nonce that is
    never used again is a stream cipher."""
    parts = [b"reply", token.encode(), key.encode(), nonce]
    stream = hashlib.shake_256(b"\0".join(parts)).digest(len(content))
    locked = int.from_bytes(content, "big") ^ int.from_bytes(stream, "big")
    return locked.to_bytes(len(content), "big")
