"""The input and its parts: row groups of Parquet files as they are; other files, which can only be
read from front to back, are read once and staged as parts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct, structs

from canut.channels.bulk.folder import Folder, files_at, open_seekable
from canut.channels.bulk.model import PROBLEMS_MAX, Part, Plan, Run, Source
from canut.channels.bulk.rows import BLOCK_ROWS, Checker, Row, RowWriter
from canut.channels.bulk.split import as_ppm, planned_share
from canut.channels.columns import header
from canut.channels.files import open_items
from canut.channels.places import file_name
from canut.errors import Conflict, Invalid, Problem

ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
PACKED = (".gz", ".zst")

#: told how many rows were staged so far
Staging = Callable[[int], None]


class _Staged(Struct, frozen=True):
    """The parts of a file that was staged whole."""

    rows: int
    parts: tuple[Part, ...]


def find_sources(place: str) -> tuple[Source, ...]:
    """The files of a place, in the order of their names: a file, a folder, a pattern with `*`.

    Raises `Invalid` where there are none, or some that hold no table.
    """
    files, path = files_at(place)
    if any(letter in path for letter in "*?["):
        found = sorted(files.glob(path))
    elif files.isdir(path):
        found = sorted(one for one in files.find(path) if _holds_table(one))
    else:
        found = [path] if files.exists(path) else []
    if not found:
        endings = ", ".join(ENDINGS)
        raise Invalid(f"There is nothing to read at {place}.", mend=f"files end in {endings}")
    wrong = [one for one in found if not _holds_table(one)]
    if wrong:
        problems = [Problem("not Parquet, CSV or JSON lines", file=file_name(one)) for one in wrong]
        raise Invalid("Some files hold no table.", problems=problems)
    return tuple(_source(files, one, "://" not in place) for one in found)


def _holds_table(path: str) -> bool:
    name = path.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.endswith(ENDINGS)


def _source(files: Any, path: str, local: bool) -> Source:
    told = files.info(path)
    stamp = str(told.get("ETag") or told.get("mtime") or told.get("LastModified") or "")
    place = path if local else f"s3://{path}"
    return Source(place, file_name(path), int(told["size"]), stamp)


def check_unchanged(sources: Sequence[Source]) -> None:
    """Raises `Conflict` where a file of the input is not what it was when the run began."""
    for source in sources:
        files, path = files_at(source.place)
        if not files.exists(path) or _source(files, path, "://" not in source.place) != source:
            raise Conflict(
                f"{source.name} has changed since this run began.",
                mend="begin another run in another folder",
            )


def make_plan(run: Run, folder: Folder, stream_share: float, staging: Staging) -> Plan:
    """The parts of the input, its texts staged. What was staged before a kill stays.

    Raises `Invalid` with everything wrong: columns that do not fit, in whichever file.
    """
    parts: list[Part] = []
    problems: list[Problem] = []
    rows = 0
    for place, source in enumerate(run.sources):
        try:
            found = _parts(run, folder, (place, source), rows, staging)
        except Invalid as error:
            problems += error.problems or [Problem(error.message, error.mend, source.name)]
            continue
        parts += found.parts
        rows += found.rows
    if problems:
        raise Invalid("The input cannot be used; nothing was begun.", problems=problems)
    share = planned_share(stream_share, rows) if run.audit_share is None else run.audit_share
    numbered = tuple(structs.replace(part, number=n) for n, part in enumerate(parts))
    return Plan(numbered, rows, as_ppm(share))


def _parts(
    run: Run, folder: Folder, at: tuple[int, Source], offset: int, staging: Staging
) -> _Staged:
    place, source = at
    if source.name.lower().endswith(".parquet"):
        return _groups(run, at, offset)
    note = f"staged/{place}.json"
    if folder.exists(note):
        return folder.load(note, _Staged)
    found = _stage(run, folder, at, offset, staging)
    folder.keep(note, found)
    return found


def _groups(run: Run, at: tuple[int, Source], offset: int) -> _Staged:
    """Row groups, gathered until they have `part_rows` rows."""
    place, source = at
    files, path = files_at(source.place)
    try:
        with open_seekable(files, path) as stream:
            table = pq.ParquetFile(pa.PythonFile(stream, mode="r"))
            names, told = table.schema_arrow.names, table.metadata
            sizes = [told.row_group(group).num_rows for group in range(told.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise Invalid(f"{source.name} cannot be read as Parquet: {error}.") from error
    header(names, run.columns, run.definition.item, source.name)
    parts: list[Part] = []
    groups: list[int] = []
    before = held = 0
    for group, size in enumerate(sizes):
        groups.append(group)
        held += size
        if held >= run.part_rows or group == len(sizes) - 1:
            parts.append(Part(0, place, offset, before, held, tuple(groups)))
            before, held, groups = before + held, 0, []
    return _Staged(sum(sizes), tuple(part for part in parts if part.rows))


def staged_name(part: Part) -> str:
    """The file of a part that was staged."""
    return f"staged/{part.source}-{part.before}.parquet"


def _stage(
    run: Run, folder: Folder, at: tuple[int, Source], offset: int, staging: Staging
) -> _Staged:
    """Read a file from front to back, and keep its good rows in parts."""
    place, source = at
    parts: list[Part] = []
    before = 0
    with open_items(source.place, run.definition.item, run.columns) as blocks:
        pieces = _pieces(run, blocks, source, offset)
        while True:
            part = Part(0, place, offset, before, 0)
            with folder.draft(staged_name(part)) as out, closing(RowWriter(out)) as writer:
                part = _fill(part, pieces, writer, run.part_rows, staging)
            if not part.rows:
                folder.remove(staged_name(part))
                break
            parts.append(part)
            before += part.rows
    return _Staged(before, tuple(parts))


class _Piece(Struct, frozen=True):
    """A few rows of a file, from `before` to `after`."""

    after: int
    rows: list[Row]
    problems: list[Problem]
    rejected: int


def _pieces(run: Run, blocks: Any, source: Source, offset: int) -> Iterator[_Piece]:
    checker = Checker(run.definition.item, source.name, offset)
    after = 0
    for block in blocks:
        checked = checker.check(block)
        numbers = [*block.rows, *(problem.row for problem in block.problems)]
        after = max([after, *numbers])
        yield _Piece(after, checked.rows, checked.problems, checked.rejected)


def _fill(
    part: Part, pieces: Iterator[_Piece], writer: RowWriter, part_rows: int, staging: Staging
) -> Part:
    """Whole pieces until there are `part_rows` rows, or no more."""
    while part.rows < part_rows:
        piece = next(pieces, None)
        if piece is None:
            break
        for start in range(0, len(piece.rows), BLOCK_ROWS):
            writer.write((row, "") for row in piece.rows[start : start + BLOCK_ROWS])
        kept = (*part.problems, *piece.problems)[:PROBLEMS_MAX]
        part = structs.replace(
            part,
            rows=piece.after - part.before,
            rejected=part.rejected + piece.rejected,
            n_problems=part.n_problems + len(piece.problems),
            problems=kept,
        )
        staging(part.offset + part.before + part.rows)
    return part
