"""Replies that were paid for once."""

from typing import Protocol


class Cache(Protocol):
    """Replies kept by what was asked, so that the same question is paid once."""

    def get(self, key: str) -> bytes | None:
        """What was put under this key (SHA-256, 64 characters), or None."""

    def put(self, key: str, value: bytes) -> None:
        """Keep a value; the same key always comes with an answer to the same question."""


class MemoryCache:
    """A cache that lives as long as the process."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """What was put under this key, or None."""
        return self.kept.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Keep a value."""
        self.kept[key] = value
