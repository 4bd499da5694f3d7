"""The rules of the house that no other tool checks."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import canut

SOURCE = Path(canut.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
LINES_MAX, FUNCTION_LINES_MAX = 300, 70


def test_modules_and_functions_are_small() -> None:
    """Modules under 300 lines, functions under 70: a room one can take in at a glance."""
    assert [m for m in MODULES if _text(m).count("\n") >= LINES_MAX] == []
    assert [place for module in MODULES for place in _long_functions(module)] == []


def test_only_db_and_stores_speak_sql() -> None:
    """The driver is imported by `db` and by store modules; elsewhere a connection is a value that
    is passed on (`canut.db.pool.Conn` and `Sync`)."""
    strangers = [
        str(module.relative_to(SOURCE))
        for module in MODULES
        if "db/" not in str(module.relative_to(SOURCE))
        and "store" not in str(module.relative_to(SOURCE))
        and _imports(module, "psycopg")
    ]
    assert strangers == []


def test_every_room_says_what_it_is_for() -> None:
    """A module without a docstring is a room without a door plate."""
    bare = [m for m in MODULES if ast.get_docstring(_parsed(m)) is None]
    assert bare == []


def _long_functions(module: Path) -> list[str]:
    if _text(module).count("\n") < FUNCTION_LINES_MAX:
        return []
    return [
        f"{module.relative_to(SOURCE)}: {node.name}"
        for node in _statements(_parsed(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All below it, at any depth, without the expressions in them."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for below in getattr(node, field, ()):
            if isinstance(below, ast.stmt):
                yield below
            yield from _statements(below)


@functools.cache
def _text(module: Path) -> str:
    return module.read_text("utf-8")


@functools.cache
def _parsed(module: Path) -> ast.Module:
    return ast.parse(_text(module))


def _imports(module: Path, package: str) -> bool:
    if package not in _text(module):
        return False
    names: list[str] = []
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return any(name.partition(".")[0] == package for name in names)
