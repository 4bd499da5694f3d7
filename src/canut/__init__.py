"""Canut: a platform for outsourced work.

`from canut import Canut` is the client of a server; it is loaded when it is asked for, so that
importing `canut` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from canut.sdk import AsyncCanut, Canut, CanutAPIError

__version__ = "0.1.0"
__all__ = ["AsyncCanut", "Canut", "CanutAPIError", "__version__"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from canut import sdk

        return getattr(sdk, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
