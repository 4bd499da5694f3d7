"""An item as a contributor or a client sees it. Every value is somebody else's text."""

from collections.abc import Callable, Collection
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from msgspec import Struct, structs

from canut.channels.pictures import PREFIX
from canut.processes.model import ItemField
from canut.questions.base import localise

#: what pictures shipped with a process begin with
ASSET = "asset:"
#: name of a picture that a client keeps with us -> its address for whoever looks, "" for none
PrivatePictures = Callable[[str], str]


class Shown(Struct, frozen=True):
    """One field of an item, ready for a template."""

    title: str
    kind: Literal["text", "link", "image"]
    value: str
    #: address of a picture, on our own origin or https
    src: str = ""
    #: whether the question is about it
    about: bool = False


def shown_fields(
    fields: tuple[ItemField, ...],
    item: dict[str, Any],
    process_slug: str,
    locale: str,
    private: PrivatePictures | None = None,
    about: Collection[str] = (),
) -> list[Shown]:
    """The fields that have a value, in the order of the process; without `private`, the pictures
    of clients stay text. Those named in `about` are what the question is about."""
    return [
        structs.replace(
            _shown(field, item[field.name], process_slug, locale, private),
            about=field.name in about,
        )
        for field in fields
        if item.get(field.name) not in (None, "")
    ]


def picture_address(value: str, process_slug: str) -> str:
    """Where a browser may fetch a picture from; "" for what it must not fetch at all."""
    if value.startswith(ASSET):
        return f"/pictures/{quote(process_slug)}/{quote(value.removeprefix(ASSET), safe='')}"
    return value if _fetchable(value, ("https",)) else ""


def _shown(
    field: ItemField,
    value: Any,
    process_slug: str,
    locale: str,
    private: PrivatePictures | None,
) -> Shown:
    title = localise(field.title, locale)
    if isinstance(value, bool):
        text = {"en": ("no", "yes"), "fr": ("non", "oui")}.get(locale, ("no", "yes"))[value]
        return Shown(title, "text", text)
    text = str(value)
    if field.type == "image":
        if private is not None and text.startswith(PREFIX):
            src = private(text.removeprefix(PREFIX))
        else:
            src = picture_address(text, process_slug)
        return Shown(title, "image", text, src) if src else Shown(title, "text", text)
    if field.type == "url" and _fetchable(text, ("https", "http")):
        return Shown(title, "link", text)
    return Shown(title, "text", text)


def _fetchable(address: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc)
