"""What an agent has learned, as bytes: a header in JSON and plain arrays, never code.

    magic "canut-state\\n", length of the header (4 bytes, little endian), header, arrays

Each array is compressed with zlib. Everything is checked on reading: a damaged or hostile state
raises `Invalid`, and cannot make memory grow beyond `SIZE_MAX`. Its name is its SHA-256.
"""

import hashlib
import math
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.errors import Invalid, Problem

MAGIC = b"canut-state\n"
#: bytes of all arrays together, unpacked
SIZE_MAX = 1 << 30
HEADER_MAX = 64 << 20
#: little-endian numbers; no objects, no strings
TYPES = frozenset({"<f2", "<f4", "<f8", "<i4", "<i8", "<u4", "<u8", "|u1"})

Array = NDArray[Any]


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    type: str
    shape: tuple[int, ...]
    #: bytes it takes in the file
    packed: int


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    #: what kind of state, and of which form: "learner/1"
    kind: str
    meta: dict[str, Any]
    arrays: list[_Entry]


def name_of(state: bytes) -> str:
    """SHA-256 of a state, in hexadecimal."""
    return hashlib.sha256(state).hexdigest()


def pack(kind: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """The same values give the same bytes (`meta` are JSON values)."""
    bodies = []
    entries = []
    for name, array in sorted(arrays.items()):
        plain = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        if plain.dtype.str not in TYPES:
            raise TypeError(f"{name}: arrays of {plain.dtype} cannot be kept")
        bodies.append(zlib.compress(plain.tobytes(), 1))
        entries.append(_Entry(name, plain.dtype.str, plain.shape, len(bodies[-1])))
    header = msgspec.json.encode(_Header(kind, dict(meta), entries), order="sorted")
    return b"".join([MAGIC, len(header).to_bytes(4, "little"), header, *bodies])


def unpack(kind: str, state: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """`meta` and the arrays, each of its own memory; raises `Invalid`."""
    at = len(MAGIC) + 4
    if not state.startswith(MAGIC) or len(state) < at:
        refuse("it does not begin as one")
    length = int.from_bytes(state[len(MAGIC) : at], "little")
    if length > HEADER_MAX or at + length > len(state):
        refuse("it is cut off")
    try:
        header = msgspec.json.decode(state[at : at + length], type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        refuse(f"its header cannot be read: {error}")
    if header.kind != kind:
        refuse(f"it is of kind {header.kind[:40]!r}, not {kind!r}")
    at += length
    arrays: dict[str, Array] = {}
    room = SIZE_MAX
    for entry in header.arrays:
        size = _size(entry)
        room -= size
        if room < 0 or not 0 <= entry.packed <= len(state) - at:
            refuse(f"array {entry.name[:40]!r} is too large or cut off")
        arrays[entry.name] = _array(entry, size, state[at : at + entry.packed])
        at += entry.packed
    if at != len(state):
        refuse("something follows it")
    return header.meta, arrays


def refuse(why: str) -> NoReturn:
    """Raise the error for a state that cannot be used."""
    problem = Problem(message=why, mend="have the agent learn anew", field="state")
    raise Invalid("This state of an agent cannot be used.", problems=[problem])


def _size(entry: _Entry) -> int:
    if entry.type not in TYPES or len(entry.shape) > 2 or any(n < 0 for n in entry.shape):
        refuse(f"array {entry.name[:40]!r} is of no kind that is kept")
    return math.prod(entry.shape) * np.dtype(entry.type).itemsize


def _array(entry: _Entry, size: int, packed: bytes) -> Array:
    reader = zlib.decompressobj()
    try:
        # one byte more than there may be: what is longer shows, and is not unpacked
        body = reader.decompress(packed, size + 1)
    except zlib.error as error:
        refuse(f"array {entry.name[:40]!r} cannot be unpacked: {error}")
    if len(body) != size or not reader.eof or reader.unused_data:
        refuse(f"array {entry.name[:40]!r} is not of the size it says")
    return np.frombuffer(body, entry.type).reshape(entry.shape).copy()
