"""Links to pictures that clients keep with us: each is good for one account and a few hours, and
tells whoever reads it neither the client nor the picture. All of it is sealed (AES-SIV): what
anybody changes in a link opens nothing, and one picture has one link for an hour, so that browsers
fetch it once."""

import base64
import binascii

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import Struct

from canut.errors import NotFound

#: a link made now is good for more than five and at most six hours
HOUR_MS = 3_600_000
HOURS = 6
#: no link of ours is longer
LENGTH_MAX = 400
PURPOSE = [b"canut picture"]


class Sealed(Struct, frozen=True, array_like=True):
    """What a link holds."""

    client_id: int
    name: str
    account_id: int
    until_ms: int


class PictureLinks:
    """Links under one key of 32 bytes."""

    def __init__(self, key: bytes):
        self._cipher = AESSIV(key)

    def address(self, client_id: int, name: str, account_id: int, now_ms: int) -> str:
        """Where this account may fetch the picture for some hours."""
        until_ms = (now_ms // HOUR_MS + HOURS) * HOUR_MS
        said = msgspec.json.encode(Sealed(client_id, name, account_id, until_ms))
        token = base64.urlsafe_b64encode(self._cipher.encrypt(said, PURPOSE))
        return f"/private-pictures/{token.decode().rstrip('=')}"

    def open(self, token: str, account_id: int | None, now_ms: int) -> Sealed:
        """What the link of this account holds. Raises `NotFound` for any other."""
        found = self._read(token)
        if found is None or found.account_id != account_id or found.until_ms <= now_ms:
            raise NotFound("There is no such picture, or it is not yours to see.")
        return found

    def _read(self, token: str) -> Sealed | None:
        if len(token) > LENGTH_MAX:
            return None
        try:
            sealed = base64.b64decode(token.encode() + b"==", altchars=b"-_")
            said = self._cipher.decrypt(sealed, PURPOSE)
        except (InvalidTag, binascii.Error, ValueError):
            return None
        return msgspec.json.decode(said, type=Sealed)
