"""Tokens against cross-site request forgery. Pages leave packed, with what their address said in
them: how long such a page comes out would tell, letter by letter, a token that stays. So the secret
is written under another mask each time."""

import base64
import hashlib
import hmac
import secrets

#: of the secret, and of the mask that covers it
SECRET_BYTES = 32


def form_token(seed: str) -> str:
    """A token for whoever has this secret of a session; another each time."""
    mask = secrets.token_bytes(SECRET_BYTES)
    return base64.urlsafe_b64encode(mask + _xor(_secret(seed), mask)).decode().rstrip("=")


def is_form_token(given: str, seed: str) -> bool:
    """Whether this is a token of that session."""
    try:
        raw = base64.urlsafe_b64decode(given.encode() + b"==")
    except ValueError:
        return False
    mask, covered = raw[:SECRET_BYTES], raw[SECRET_BYTES:]
    return len(covered) == SECRET_BYTES and hmac.compare_digest(_xor(covered, mask), _secret(seed))


def _secret(seed: str) -> bytes:
    return hashlib.sha256(b"csrf:" + seed.encode()).digest()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
