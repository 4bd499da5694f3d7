"""The fenced blocks of the documentation, and how what a command printed is compared."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]

#: languages whose blocks are examples, each run or parsed
RUN = frozenset({"console", "python", "toml", "json", "csv"})
#: languages whose blocks are only read: `sh` needs root, a browser's session or minutes (package
#: managers, `make`, measurements); `ini`, `nginx` are read by programs that are not installed for
#: the tests; `text` is a picture in letters or a formula; `sql` and `html` are excerpts
READ = frozenset({"sh", "ini", "nginx", "text", "sql", "html"})

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=fence)\s*$", re.M | re.S)
_NUMBER = re.compile(r"\d[\d,.]*")


class Block(Struct, frozen=True):
    """A fenced block."""

    file: str
    line: int
    language: str
    #: what follows the language: `fails` (a command refuses), `figures` (numbers vary)
    words: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def pages() -> list[Path]:
    """Every page: the README first, for it says how to begin; then in the order of the index."""
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    listed = "\n".join(re.findall(r"```\{toctree\}(.*?)```", index, re.S))
    names = re.findall(r"^[a-z-]+$", listed, re.M)
    docs = [ROOT / "docs" / f"{name}.md" for name in ["index", *names]]
    return [ROOT / "README.md", *docs, ROOT / "CONTRIBUTING.md"]


def blocks() -> list[Block]:
    """Every fenced block of every page, in order."""
    return [block for page in pages() for block in _blocks_of(page)]


def _blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        language, *words = found["info"].split() or [""]
        if language.startswith("{"):
            continue
        yield Block(
            str(page.relative_to(ROOT)),
            text.count("\n", 0, found.start()) + 1,
            language,
            frozenset(words),
            found["text"],
        )


def steps(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it should print."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0][:-1] + line.strip(), [])
        else:
            assert found, f"a console block begins with a command, not with {line!r}"
            found[-1][1].append(line)
    return [(command, "\n".join(printed)) for command, printed in found]


def same(expected: str, printed: str, *, figures: bool = False) -> bool:
    """Whether it printed what the page says; `...` on the page stands for anything."""
    wanted, got = _plain(expected, figures), _plain(printed, figures)
    pattern = ".*".join(map(re.escape, wanted.split("...")))
    return re.fullmatch(pattern, got, re.S) is not None


def _plain(text: str, figures: bool) -> str:
    """Without blank lines, prompts for a password (there is no terminal) and progress bars; with
    `figures`, every number is the same and tables may be wider."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("Password:", "Repeat for"))]
    kept = [line for line in kept if "━" not in line and "importing" not in line]
    plain = "\n".join(kept)
    if figures:
        plain = re.sub(r"[ ─]+", " ", _NUMBER.sub("N", plain))
    return plain
