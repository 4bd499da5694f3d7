"""A client for Canut: `Canut` and `AsyncCanut`. Needs httpx and msgspec, nothing else of Canut."""

from canut.sdk.asynchronous import AsyncCanut
from canut.sdk.errors import CanutAPIError
from canut.sdk.retry import Retry
from canut.sdk.sync import Canut

__all__ = ["AsyncCanut", "Canut", "CanutAPIError", "Retry"]
