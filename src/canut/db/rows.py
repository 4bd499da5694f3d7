"""Rows as values: what a statement finds, as frozen msgspec.Structs filled by column names."""

from typing import Any, TypeVar

import msgspec
from psycopg import AsyncCursor, Connection, Cursor
from psycopg.rows import RowMaker
from psycopg.types.json import set_json_dumps, set_json_loads

T = TypeVar("T")

# JSON columns go through msgspec: several times faster than the standard library. psycopg keeps
# these two settings per process; this module is where ours are made.
set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)


class StructRow:
    """`conn.cursor(row_factory=StructRow(Batch))`: each row becomes a `Batch`.

    Column names must be field names; values are taken as the driver gives them.
    """

    def __init__(self, struct: type[Any]):
        self.struct = struct

    def __call__(self, cursor: Cursor[Any] | AsyncCursor[Any]) -> RowMaker[Any]:
        names = [column.name for column in cursor.description or ()]
        struct = self.struct

        def make(values: Any) -> Any:
            return struct(**dict(zip(names, values, strict=True)))

        return make


def of(struct: type[T]) -> Any:
    """Row factory for `struct`: `conn.cursor(row_factory=of(Batch))`."""
    return StructRow(struct)


def all_of(conn: Connection[Any], struct: type[T], sql: str, values: Any = None) -> list[T]:
    """Every row of a statement, as `struct`."""
    with conn.cursor(row_factory=of(struct)) as cursor:
        found: list[T] = cursor.execute(sql.encode(), values).fetchall()
    return found


def first_of(conn: Connection[Any], struct: type[T], sql: str, values: Any = None) -> T | None:
    """The first row of a statement, as `struct`; None: it has none."""
    with conn.cursor(row_factory=of(struct)) as cursor:
        found: T | None = cursor.execute(sql.encode(), values).fetchone()
    return found
