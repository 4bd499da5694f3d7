"""Which messages lack a French translation, and which translations nobody needs any more.

    python scripts/messages.py            # prints the missing ones, ready to paste into a .po file

Messages are found in templates (`gettext`, `ngettext`, `_`), and in Python where they stand:
`N_("...")`, and the message and the mend of errors and problems. Text put together at run time
(f-strings) is not translated; errors that people read are written without it.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract

from canut.web.i18n import read_catalogue

SOURCE = Path(__file__).parent.parent / "src" / "canut"
#: rooms whose errors people read on pages
ROOMS = ("errors.py", "people", "web")
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
}

#: a message, or its singular and plural
Message = str | tuple[str, str]


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
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        texts = node.args[:1] if name in MARKERS | ERRORS else []
        if name in ERRORS:
            texts = texts + [word.value for word in node.keywords if word.arg == "mend"]
        for text in texts:
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value:
                yield text.lineno, text.value


def in_template(path: Path) -> Iterator[tuple[int, Message]]:
    """Line and message of each call of gettext in a Jinja template."""
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
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
