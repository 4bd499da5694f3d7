"""Papers as PDF, set by Typst with the fonts it brings: the same words are the same bytes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import typst

#: PDF/A for archives (3b: with files inside), PDF/UA to be read aloud
Standard: TypeAlias = Literal["a-2a", "a-3b", "ua-1"]
ARCHIVED_AND_TAGGED: tuple[Standard, ...] = ("a-2a", "ua-1")


def pdf_of(
    template: Path,
    said: dict[str, Any],
    made: datetime,
    *,
    standards: Sequence[Standard],
    plainly: Callable[[str], str],
) -> bytes:
    """The PDF that a template makes of what is `said` (texts, numbers, lists and dicts, which it
    reads as JSON), dated `made`. Where the fonts lack a letter, every text is set as `plainly`
    writes it."""
    try:
        return _set(template, said, made, standards)
    except typst.TypstError:
        return _set(template, _through(said, plainly), made, standards)


def _set(template: Path, said: Any, made: datetime, standards: Sequence[Standard]) -> bytes:
    pdf = typst.compile(
        str(template),
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=[*standards],
        timestamp=made,
        sys_inputs={"said": msgspec.json.encode(said).decode()},
    )
    assert isinstance(pdf, bytes)
    return pdf


def _through(value: Any, plainly: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return plainly(value)
    if isinstance(value, dict):
        return {key: _through(one, plainly) for key, one in value.items()}
    return [_through(one, plainly) for one in value] if isinstance(value, list) else value
