"""Looking at a file: what it begins with, and every row that is wrong, as the import sees it."""

import hashlib
from collections.abc import Iterator
from typing import IO, Any

import msgspec
from msgspec.structs import replace

from canut.channels.columns import Columns
from canut.channels.drafts.columns import recognise
from canut.channels.drafts.files import Uploads
from canut.channels.drafts.model import Draft, Facts, Found
from canut.channels.drafts.pictured import Gathered, handed, pictured, with_pictures
from canut.channels.files import read_stream
from canut.channels.text import kept
from canut.errors import Invalid, Problem
from canut.processes.model import REFERENCE, ItemShape
from canut.processes.shape import compile_shape
from canut.work.encoding import Encoder
from canut.work.intake import Block

#: rows that tell what a column holds
ROWS_READ = 1_000
#: columns that a page can show
COLUMNS_MAX = 60
#: what mends a file of letters that are told in another way
SAVE = "save the file as UTF-8"
#: problems kept with the draft, and in the list to download
PROBLEMS_KEPT = 100
PROBLEMS_LISTED = 100_000
#: keys remembered to find those that are there twice: the import looks at all
KEYS_MAX = 500_000


def begin(stream: IO[bytes], name: str, bytes_max: int, found: Gathered | None = None) -> Facts:
    """What a file begins with; `found` is what came with it. Raises `Invalid` for what is no table,
    has no rows, or names none of the pictures."""
    blocks = read_stream(stream, name, ItemShape(()), bytes_max=bytes_max)
    block = next((block for block in blocks if len(block.records)), None)
    if block is None:
        raise Invalid(f"{name} has no rows.", mend="put a row for each item below the header")
    told = handed(found, block.records[:ROWS_READ]) if found is not None else None
    if told is not None and found is not None:
        block = next(with_pictures([block], told.columns, found.names))
    records = [block.records[place] for place in range(min(ROWS_READ, len(block.records)))]
    names = list(dict.fromkeys(column for record in records for column in record))
    if len(names) > COLUMNS_MAX:
        raise Invalid(
            f"{name} has {len(names)} columns.", mend=f"keep the {COLUMNS_MAX} that matter, or less"
        )
    if any(kept(column) != column for column in names):
        raise Invalid(f"The names of the columns of {name} are no text.", mend=SAVE)
    facts = recognise(names, records)
    if found is not None and found.made:
        # the name of its file is what somebody calls a picture by
        key, picture = facts.columns
        facts = replace(facts, columns=(replace(key, key=True, personal=False), picture))
    return replace(facts, pictures=told)


def against(columns: Columns, shape: ItemShape) -> str:
    """What a look with these columns and this shape is called."""
    return hashlib.sha256(msgspec.json.encode((columns, shape))).hexdigest()[:16]


def look(uploads: Uploads, draft: Draft, columns: Columns, shape: ItemShape) -> Found:
    """Look at every row, and list what is wrong. Raises `Invalid` where the whole file cannot be
    used, and `NotFound`."""
    found = _Look(shape)
    with uploads.open(draft.file) as stream, uploads.listing(draft.file) as note:
        blocks = read_stream(stream, draft.file_name, shape, columns, bytes_max=uploads.bytes_max)
        blocks = pictured(blocks, columns, draft.facts.pictures, uploads, draft.file)
        for block in blocks:
            for problem, value in found.block(block):
                if found.n_problems <= PROBLEMS_LISTED:
                    note(problem, value)
    return Found(
        against(columns, shape),
        found.rows,
        found.rejected,
        found.n_problems,
        tuple(found.problems),
    )


class _Look:
    """What was seen so far."""

    def __init__(self, shape: ItemShape):
        self._encoder = Encoder(compile_shape, shape, 0, [])
        #: key of an item -> what it holds
        self._seen: dict[int, int] = {}
        self.rows = self.rejected = self.n_problems = 0
        self.problems: list[Problem] = []

    def block(self, block: Block) -> Iterator[tuple[Problem, str]]:
        """Everything wrong in a block, in the order of its rows, each with the value that is."""
        encoded = self._encoder.encode(block)
        twice = list(self._twice(block, encoded.rows, encoded.lines))
        self.rows += len(encoded.rows) + encoded.rejected
        self.rejected += encoded.rejected + len(twice)
        place_of: dict[int, int] = {}
        if encoded.problems or twice:
            place_of = {row: place for place, row in enumerate(block.rows)}
        for problem in sorted([*encoded.problems, *twice], key=lambda one: one.row):
            self.n_problems += 1
            if len(self.problems) < PROBLEMS_KEPT:
                self.problems.append(problem)
            yield problem, _value(block, place_of, problem)

    def _twice(self, block: Block, rows: Any, lines: bytes) -> Iterator[Problem]:
        """Rows whose key a row before has with other values. A line is batch, key, payload."""
        for row, line in zip(rows, lines.splitlines(), strict=True):
            if len(self._seen) >= KEYS_MAX:
                return
            _, key, payload = line.split(b"\t", 2)
            held = hash(payload)
            if self._seen.setdefault(hash(key), held) != held:
                yield Problem(
                    f"a row before it has the key {key.decode()!r} with other values",
                    "use another key, or a new batch",
                    block.file,
                    row,
                    REFERENCE,
                )


def _value(block: Block, place_of: dict[int, int], problem: Problem) -> str:
    place = place_of.get(problem.row)
    if place is None or not problem.field:
        return ""
    value = block.records[place].get(problem.field)
    return "" if value is None else kept(str(value)[:1000])
