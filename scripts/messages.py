"""Which messages lack a French translation, and which translations nobody needs any more.

    python scripts/messages.py            # prints the missing ones, ready to paste into a .po file

Messages are found in templates (`gettext`, `ngettext`, `_`), and in Python where they stand:
`N_("...")`, and the message and the mend of errors and problems. An f-string is a pattern: its
values are numbered, `f"{count} rows"` is the message "{0} rows" (`canut.web.i18n.Patterns`).
"""

import ast
import functools
import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract

from canut.web.i18n import read_catalogue

SOURCE = Path(__file__).parent.parent / "src" / "canut"
#: rooms whose errors people read on pages
ROOMS = (
    "agents/running/verbs.py",
    "errors.py",
    "people",
    "web",
    "questions",
    "work",
    "processes/making.py",
    "processes/reading.py",
    "processes/shape.py",
    "processes/taxonomy.py",
    "insight/story.py",
    "pay",
    "quality/audits/disputes.py",
    "quality/exams/sitting.py",
    "quality/gold/files.py",
    "quality/gold/pool.py",
    "quality/gold/review.py",
    "quality/licences/acts.py",
    "quality/certificates/standing.py",
    "quality/certificates/statements.py",
    "channels/addresses.py",
    "channels/drafts",
    "channels/columns.py",
    "channels/delimited.py",
    "channels/files.py",
    "channels/jsonlines.py",
    "channels/parquet.py",
    "channels/pictures.py",
    "channels/streams.py",
    "channels/text.py",
    "channels/webhooks.py",
    "channels/zipped.py",
)
TEMPLATES = ("web/templates", "questions/widgets")
CATALOGUES = SOURCE / "web" / "locale"
MARKERS = {"N_", "gettext", "_"}
ERRORS = {
    "CanutError",
    "Conflict",
    "Expired",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Problem",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "_FaultError",
    "refuse",
}
#: variables and functions of those rooms that hold or return what an error says
SAYING = {
    "FOREIGN",
    "SPOKEN",
    "_fault",
    "_key_fault",
    "_mend",
    "_near",
    "_waits_for",
    "kinds",
    "mend",
    "message",
    "more",
    "suggest",
    "text",
    "where",
    "wrong",
}

#: a message, or its singular and plural
Message = str | tuple[str, str]


@functools.cache
def needed() -> dict[Message, str]:
    """Every message a person may read -> where it was found."""
    found: dict[Message, str] = {}
    for room in ROOMS:
        paths = [SOURCE / room] if room.endswith(".py") else sorted((SOURCE / room).rglob("*.py"))
        for path in paths:
            for line, message in in_python(path.read_text("utf-8")):
                found.setdefault(message, f"{path.relative_to(SOURCE)}:{line}")
    for folder in TEMPLATES:
        for path in sorted((SOURCE / folder).rglob("*.html")):
            for line, message in in_template(path):
                found.setdefault(message, f"{path.relative_to(SOURCE)}:{line}")
    return found


def in_python(source: str) -> Iterator[tuple[int, Message]]:
    """Line and message of each call that marks one, or raises or reports an error."""
    for node in ast.walk(ast.parse(source)):
        for text in _said_by(node):
            for line, message in _messages(text):
                if any(map(str.isalpha, re.sub(r"{\d}", "", message))):
                    yield line, message


def _said_by(node: ast.AST) -> list[ast.expr]:
    """The expressions under this node that a person may read."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in MARKERS:
            return node.args[:1]
        if node.func.id in ERRORS:
            return node.args[:2] + [word.value for word in node.keywords if word.arg in SAYING]
    if isinstance(node, ast.Assign) and _names(node.targets[0]) & SAYING:
        return [node.value]
    if isinstance(node, ast.FunctionDef) and node.name in SAYING:
        returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
        return [value for value in returned if value is not None]
    return []


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _messages(text: ast.expr) -> Iterator[tuple[int, str]]:
    """The constants and f-strings that this expression may be."""
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        yield text.lineno, text.value
    elif isinstance(text, ast.JoinedStr):
        place = itertools.count()
        parts = (
            str(part.value) if isinstance(part, ast.Constant) else f"{{{next(place)}}}"
            for part in text.values
        )
        yield text.lineno, "".join(parts)
    elif isinstance(text, ast.IfExp):
        yield from _messages(text.body)
        yield from _messages(text.orelse)
    elif isinstance(text, ast.Tuple | ast.Dict):
        for one in text.elts if isinstance(text, ast.Tuple) else text.values:
            yield from _messages(one)


def in_template(path: Path) -> Iterator[tuple[int, Message]]:
    """Line and message of each call of gettext in a Jinja template."""
    options = {
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "silent": "false",
        "extensions": "jinja2.ext.do",
    }
    with path.open("rb") as file:
        for line, message, _, _ in extract("jinja2.ext:babel_extract", file, options=options):
            yield line, message


def known(locale: str) -> dict[Message, Message]:
    """Every message of the catalogues -> its translation ('' where it is missing or fuzzy)."""
    found: dict[Message, Message] = {}
    for path in sorted((CATALOGUES / locale / "LC_MESSAGES").glob("*.po")):
        for entry in read_catalogue(path, locale):
            if entry.id:
                key = tuple(entry.id) if isinstance(entry.id, list | tuple) else entry.id
                found[key] = "" if entry.fuzzy else entry.string
    return found


def missing(locale: str) -> dict[Message, str]:
    """Messages without a translation -> where they were found."""
    have = known(locale)
    return {
        message: place
        for message, place in needed().items()
        if not all(_forms(have.get(message, "")))
    }


def unused(locale: str) -> list[Message]:
    """Translations that nobody needs."""
    wanted = needed()
    return [message for message in known(locale) if message not in wanted]


def main() -> int:
    """Print what is missing as .po entries; 1 if anything is missing or unused."""
    lacking, spare = missing("fr"), unused("fr")
    for message, place in lacking.items():
        print(f"\n#: {place}")
        one, *many = message if isinstance(message, tuple) else (message,)
        print(f"msgid {_quoted(one)}")
        for plural in many:
            print(f'msgid_plural {_quoted(plural)}\nmsgstr[0] ""\nmsgstr[1] ""')
        if not many:
            print('msgstr ""')
    for message in spare:
        print(f"unused: {message!r}", file=sys.stderr)
    return 1 if lacking or spare else 0


def _forms(translation: Message) -> tuple[str, ...]:
    return translation if isinstance(translation, tuple) else (translation,)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main())
