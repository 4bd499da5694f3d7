"""Secrets: tokens of 256 bits, of which we keep only a hash, and passwords (Argon2id)."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from canut.people.rules import PASSWORD_LENGTH_MAX

#: how a key begins, so that people and secret scanners know one when they see it
KEY_PREFIX = "ck_"
#: characters of a key that are kept and shown, to tell keys apart
SHOWN = 11

#: Argon2id with the parameters of RFC 9106, section 4, for little memory (64 MiB, 3 passes)
_HASHER = PasswordHasher()
#: threads of their own: nobody waits to log in until others have imported their files, and a crowd
#: at the door takes two cores and 128 MiB at most
_THREADS = ThreadPoolExecutor(2, "password")

T = TypeVar("T")


def new_token() -> str:
    """A secret of 256 bits that can stand in an address or a cookie."""
    return secrets.token_urlsafe(32)


def new_key() -> str:
    """The secret of an API key."""
    return KEY_PREFIX + new_token()


def token_hash(token: str) -> bytes:
    """What we keep of a token. A plain hash will do: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


async def hash_password(password: str) -> str:
    """Argon2id hash, made in a thread: it takes a good part of a second of a core."""
    return await _aside(_HASHER.hash, password)


async def password_is(password: str, known_hash: str | None) -> bool:
    """Whether the password is right. Without an account (None) it takes as long and says no, so
    that the time of the reply does not tell whether there is one."""
    guess = password[: PASSWORD_LENGTH_MAX + 1]
    right = await _aside(_verify, known_hash or _nobody(), guess)
    return right and known_hash is not None


def outdated(known_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known_hash)


async def _aside(work: Callable[..., T], *values: str) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *values)


def _verify(known_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(known_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash(new_token())
