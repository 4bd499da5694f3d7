"""Bank data at rest: encrypted under a key that is in a file, not in the database.

AES-256-GCM, bound to whoever it belongs to: a sealed text that is copied to another contributor's
row does not open. A file holds a key a line, in base64; the first seals, all open, so that a new
key is put above the old ones. The last one makes marks, which must stay comparable.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from canut.errors import Problem, Unavailable

KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_BYTES = 4


class Vault:
    """Seals and opens. Keys have 32 bytes, the newest first."""

    def __init__(self, keys: Sequence[bytes]):
        self._keys = {_key_id(key): key for key in keys}
        self._seals, self._marks = keys[0], keys[-1]

    def seal(self, owner: str, plain: bytes) -> bytes:
        """Encrypted, for `owner`: id of the key, nonce, ciphertext with its tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        closed = AESGCM(self._seals).encrypt(nonce, plain, owner.encode())
        return _key_id(self._seals) + nonce + closed

    def open(self, owner: str, sealed: bytes) -> bytes:
        """Raises `Unavailable` where the key is missing, or the text was changed or moved."""
        key = self._keys.get(sealed[:_ID_BYTES])
        if key is None:
            raise Unavailable(
                "The key that bank data was sealed with is not in the file of keys.",
                mend="add it to the file, below the newest",
            )
        nonce = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES]
        try:
            closed = sealed[_ID_BYTES + _NONCE_BYTES :]
            return AESGCM(key).decrypt(nonce, closed, owner.encode())
        except InvalidTag as error:
            raise Unavailable(
                f"The bank data of {owner} was changed outside Canut.",
                mend="ask them to enter it anew",
            ) from error

    def mark(self, plain: bytes) -> bytes:
        """The same for the same text, and says nothing to who lacks the key: 16 bytes."""
        return hmac.digest(self._marks, b"mark:" + plain, "sha256")[:16]


def open_vault(path: Path) -> Vault:
    """The vault of a file of keys; made, with one key, where there is none. Raises
    `Unavailable` where the file can be neither read nor made, or holds what is no key."""
    try:
        if not path.exists():
            _make(path)
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"The file of keys {path} cannot be used: {error}") from error
    problems, keys = [], []
    for row, line in enumerate(lines, 1):
        try:
            key = base64.b64decode(line, validate=True)
        except binascii.Error:
            key = b""
        if len(key) == KEY_BYTES:
            keys.append(key)
        else:
            text = f"is no key of {KEY_BYTES} bytes in base64"
            problems.append(Problem(text, file=str(path), row=row))
    if problems or not keys:
        raise Unavailable(f"{path} holds no keys for bank data.", problems=problems)
    return Vault(keys)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    line = base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"
    # beside its place first: whoever comes at the same moment finds a whole file or none
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"id:" + key).digest()[:_ID_BYTES]
