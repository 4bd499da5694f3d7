"""Files of the pages, held in memory and pressed once: a first visit costs what it must, and the
next ones nothing, because the address holds a hash of what it gives."""

import gzip
import mimetypes
import re
from pathlib import Path
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.params import FromPath
from msgspec import Struct

from canut.errors import NotFound
from canut.web.auth import OPEN

#: what is in the browser stays there: another version has another address
FOREVER = "public, max-age=31536000, immutable"
#: what is pressed already grows if pressed again
_PRESSED = {".png", ".jpg", ".webp", ".woff2"}


class Held(Struct, frozen=True):
    """A file, as it is and pressed; None: pressing would gain nothing."""

    media_type: str
    plain: bytes
    pressed: bytes | None


def hold(folder: Path) -> dict[str, Held]:
    """Every file of the folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): _held(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def static_route(version: str, folder: Path) -> Any:
    """`/static/<version>/<name>`. Another version is not here: what it held may differ."""
    files = hold(folder)

    @route(
        f"/static/{version}/{{name:path}}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        opt={**OPEN, "unlimited": True},
        include_in_schema=False,
        sync_to_thread=False,
    )
    def static(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        held = files.get(name.removeprefix("/"))
        if held is None:
            raise NotFound("There is nothing at this address.")
        headers = {"cache-control": FOREVER, "vary": "accept-encoding"}
        if held.pressed is None or not _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(held.plain, media_type=held.media_type, headers=headers)
        headers["content-encoding"] = "gzip"
        return Response(held.pressed, media_type=held.media_type, headers=headers)

    return static


def _held(path: Path) -> Held:
    plain = path.read_bytes()
    if path.suffix == ".css":
        plain = _tight(plain.decode()).encode()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    # no time within, so that every start gives the same bytes
    pressed = None if path.suffix in _PRESSED else gzip.compress(plain, 9, mtime=0)
    return Held(kind, plain, pressed if pressed and len(pressed) < len(plain) else None)


def _tight(sheet: str) -> str:
    """A stylesheet without its comments, and without the space that only people need."""
    said = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
    return re.sub(r" ?([{};]) ?", r"\1", said).strip()


def _takes_gzip(accepted: str) -> bool:
    """Whether the browser said so, and not that it would rather not (RFC 9110, 12.5.3)."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
