"""Markup, with everything escaped that comes from outside."""

import html
import re
import textwrap

#: width of every chart, in its own units: narrow enough that text stays readable on a phone
WIDTH = 440.0
#: what XML cannot hold
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: characters of a name that fit on a line of a chart, on a phone too, and its lines
LINE_LENGTH_MAX, LINES_MAX = 38, 2


def escaped(text: str) -> str:
    """Text or the value of an attribute."""
    return html.escape(_UNFIT.sub("", text), quote=True)


def place(value: float) -> str:
    """A coordinate, in as few characters as a tenth of a unit needs."""
    # adding nothing makes of -0 a 0
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def element(name: str, content: str | None = None, **attributes: str | float) -> str:
    """One element. `content` is markup already; a trailing _ of a name is dropped, another is a
    hyphen."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said}/>" if content is None else f"<{name}{said}>{content}</{name}>"


def text(said: str, x: float, y: float, class_: str = "") -> str:
    """A line of text."""
    given = {"class_": class_} if class_ else {}
    return element("text", escaped(said), x=x, y=y, **given)


def titled(name: str, title: str, **attributes: str | float) -> str:
    """An element that says what it is when it is pointed at."""
    return element(name, element("title", escaped(title)), **attributes)


def picture(kind: str, height: float, title: str, told: str, content: str) -> str:
    """The whole, `WIDTH` by `height`; `told` is what somebody hears who cannot see it."""
    heard = element("title", escaped(title)) + (element("desc", escaped(told)) if told else "")
    box = f"0 0 {place(WIDTH)} {place(height)}"
    return element("svg", heard + content, class_=f"chart {kind}", viewBox=box, role="img")


def wrapped(name: str) -> list[str]:
    """A name on as many lines as it needs and may have; what is left is cut, and said to be."""
    lines = textwrap.wrap(name, LINE_LENGTH_MAX, max_lines=LINES_MAX, placeholder="…")
    return lines or [""]


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else place(value)
