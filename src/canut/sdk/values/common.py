"""What every part of the API shares: pages, problems, texts."""

from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")

#: a text for people: one for every language, or one per language ("en", "fr")
Text = str | dict[str, str]

#: milliseconds since 1970, UTC
TimeMs = Annotated[int, Meta(description="Milliseconds since 1970, UTC.", ge=0, le=2**53)]


#: number of a thing
Id = Annotated[int, Meta(ge=1, le=2**53)]


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list, and where the next part starts."""

    data: list[T]
    #: pass it as `cursor` to get the next part; null at the end
    next: Annotated[
        str | None,
        Meta(description="Pass it as `cursor` to get the next part; null at the end."),
    ] = None


class ProblemAt(Struct, frozen=True, omit_defaults=True):
    """One thing wrong in what was sent: where, what, and how to mend it."""

    message: Annotated[str, Meta(description="What is wrong.")]
    mend: Annotated[str, Meta(description="What to do about it.")] = ""
    file: Annotated[str, Meta(description="File in which it was found.")] = ""
    row: Annotated[int, Meta(description="Row of data, or place in a list, from 1.")] = 0
    field: Annotated[str, Meta(description="Column, or dotted path of the field.")] = ""

    def __str__(self) -> str:
        where = [self.file, f"row {self.row}" if self.row else "", self.field]
        place = ", ".join(part for part in where if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.mend})" if self.mend else text


class ProblemDetails(Struct, frozen=True):
    """Why a request was refused (RFC 9457)."""

    title: Annotated[str, Meta(description="What went wrong, in a few words.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    type: Annotated[str, Meta(description="Address that names the kind of problem.")] = (
        "about:blank"
    )
    detail: Annotated[str, Meta(description="What went wrong this time.")] = ""
    code: Annotated[str, Meta(description="The kind of problem, for programs.")] = ""
    mend: Annotated[str, Meta(description="What to do about it.")] = ""
    problems: Annotated[
        list[ProblemAt], Meta(description="Every place that is wrong in what was sent.")
    ] = []


class ItemField(Struct, frozen=True):
    """One value that an item carries."""

    name: Annotated[str, Meta(description="Key in an item, column in a file.")]
    title: Text
    type: Annotated[str, Meta(description="text, number, url, image or boolean.")] = "text"
    required: bool = False
    personal: Annotated[bool, Meta(description="Personal data: never shown to contributors.")] = (
        False
    )
    show: Annotated[bool, Meta(description="Shown to contributors beside the question.")] = True
