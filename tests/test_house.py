"""The rules of the house that no other tool checks."""

import ast
import functools
from pathlib import Path

import pytest

import canut

SOURCE = Path(canut.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
LINES_MAX, FUNCTION_LINES_MAX = 300, 70


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_and_functions_are_small(module: Path) -> None:
    """Modules under 300 lines, functions under 70: a room one can take in at a glance."""
    text = module.read_text("utf-8")
    assert text.count("\n") < LINES_MAX
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES_MAX, node.name


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


@functools.cache
def _parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"))


def _imports(module: Path, package: str) -> bool:
    names: list[str] = []
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return any(name.partition(".")[0] == package for name in names)
