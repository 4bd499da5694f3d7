"""Intake: a batch is opened, and rows become items with a task at the first step.

Any reader may feed it (a file, a request body): rows come as `Block`s, a few thousand at a time.
A block is checked and encoded in the calling thread while the block before it is being copied
into the database by another, so that two cores are busy. Everything happens in one transaction.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

from msgspec import Struct

from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.processes.shape import compile_shape
from canut.work import store_intake as store
from canut.work.encoding import Encoded, Encoder, joined
from canut.work.model import Batch

#: problems kept in a report; all are counted, and all go to `on_problem`
PROBLEMS_MAX = 10_000
KEY_LENGTH_MAX = 200
#: bytes of rows gathered before they are written; doubled after each WRITES of that size, up to
#: WRITE_BYTES_MAX, because each write is a subtransaction, of which PostgreSQL keeps 64 at hand
WRITE_BYTES = 8_000_000
WRITE_BYTES_MAX = 64_000_000
WRITES = 16

OnError = Literal["stop", "skip"]


class Block(Struct, frozen=True):
    """Rows on their way in."""

    #: number of each record in its file, from 1
    rows: Sequence[int]
    #: the columns of each row; `reference`, the client's own key of the item, is taken out of it
    records: Sequence[dict[str, Any]]
    #: rows that could not even be read
    problems: Sequence[Problem] = ()
    #: name of the file, for problems
    file: str = ""
    #: bytes of the file read so far
    bytes_read: int = 0


class IntakeReport(Struct, frozen=True):
    """What an import did (or, when it was refused, would have done)."""

    #: items made
    added: int
    #: rows that were in the batch already, with the same values
    known: int
    #: rows with something wrong
    rejected: int
    #: everything wrong: a row may have several
    n_problems: int
    #: the first PROBLEMS_MAX of them
    problems: list[Problem]


class Progress(Struct, frozen=True):
    """How far an import is."""

    #: rows written (or found known or wrong) so far; reading is ahead of it
    rows: int
    rejected: int
    bytes_read: int


def rows_wrong(count: int) -> str:
    """Of a file nothing of which is taken: so many rows are why."""
    return "1 row has something wrong" if count == 1 else f"{count:,} rows have something wrong"


class Refused(Invalid):
    """Rows are wrong and `on_error` is "stop": nothing was imported."""

    code = "invalid"

    def __init__(self, report: IntakeReport):
        head = f"{rows_wrong(report.rejected)}; nothing was imported."
        mend = "mend them and submit again, or skip them with on_error=skip"
        super().__init__(head, mend=mend, problems=report.problems)
        self.report = report


def open_batch(
    conn: store.Conn,
    client_id: int,
    key: str,
    version_id: int,
    now_ms: int,
    *,
    name: str = "",
    priority: int = 0,
    deadline_ms: int | None = None,
) -> Batch:
    """The client's batch of this key, made if there is none, with its steps.

    Safe to repeat. Raises `Invalid` for a key or a priority out of bounds, `NotFound` when the
    process version is not there for this client, `Conflict` when the batch runs another version.
    """
    _check_batch(key, priority)
    values = {
        "client": client_id,
        "version": version_id,
        "key": key,
        "name": name or key,
        "priority": priority,
        "deadline_ms": deadline_ms,
        "now_ms": now_ms,
    }
    with conn.transaction():
        if not store.may_use(conn, client_id, version_id):
            raise NotFound("There is no such version of a process.", mend="see canut process list")
        store.insert_batch(conn, values)
        batch = store.find_batch(conn, client_id, key)
        assert batch is not None
        if store.version_of(conn, batch.id) != version_id:
            raise Conflict(
                f"Batch {key} runs version {batch.version} of {batch.process_slug}.",
                mend="submit under another key, or with the process version it started with",
            )
    return batch


def _check_batch(key: str, priority: int) -> None:
    if not key or len(key) > KEY_LENGTH_MAX or not key.isprintable() or key != key.strip():
        raise Invalid(
            f"{key[:50]!r} cannot be the key of a batch.",
            mend=f"1 to {KEY_LENGTH_MAX} printable characters, no space around them",
        )
    if not -5 <= priority <= 5:
        raise Invalid(f"The priority is {priority}.", mend="give a priority from -5 to 5")


def add_items(
    conn: store.Conn,
    batch: Batch,
    blocks: Iterable[Block],
    *,
    on_error: OnError = "stop",
    progress: Callable[[Progress], None] = lambda progress: None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> IntakeReport:
    """Make an item and a task of every good row; all at once, or nothing.

    A row whose key the batch has with the same values is known, and makes nothing; with other
    values it is a problem. With on_error="stop" any problem undoes everything (`Refused`, whose
    `report` tells all); with "skip" the good rows are kept. `conn` is used by a second thread
    while this runs; if it is in a transaction, the caller's commit makes it durable.

    Raises `Conflict` for a cancelled batch, or while another import into it runs.
    """
    with conn.transaction():
        to = _target(conn, batch)
        importer = _Import(conn, batch, to, on_problem)
        with ThreadPoolExecutor(1, "intake") as writer:
            importer.run(blocks, writer, progress)
        report = importer.report()
        if report.n_problems and on_error == "stop":
            raise Refused(report)
        store.count(conn, batch.id, to, report.added, importer.encoder.columns)
    return report


def _target(conn: store.Conn, batch: Batch) -> store.Target:
    if not store.lock(conn, batch.id):
        raise Conflict(
            f"Another import into batch {batch.key} is running.",
            mend="wait for it to end, then submit again: what it added counts as known",
        )
    to = store.target(conn, batch.id)
    if to is None:
        raise NotFound(f"There is no batch {batch.key}.")
    if to.state == "cancelled":
        raise Conflict(f"Batch {batch.key} was cancelled.", mend="submit under another key")
    return to


class _Import:
    """One run of `add_items`: what it has seen so far."""

    def __init__(
        self,
        conn: store.Conn,
        batch: Batch,
        to: store.Target,
        on_problem: Callable[[Problem], None],
    ):
        self.conn = conn
        self.batch = batch
        self.to = to
        self.on_problem = on_problem
        self.encoder = Encoder(compile_shape, to.item, batch.id, to.columns)
        self.added = self.known = self.rejected = self.n_problems = 0
        self.problems: list[Problem] = []
        self.mark = store.last_item(conn, batch.id)
        # most files hold no key twice: try the fast way first, and after a block in which it
        # failed take the careful way until a block has nothing known again
        self.careful = False

    def run(
        self,
        blocks: Iterable[Block],
        writer: ThreadPoolExecutor,
        progress: Callable[[Progress], None],
    ) -> None:
        """Encode blocks while those before them are written, many at a time: each step of the
        writer waits for the interpreter lock that the encoder holds."""
        writing: Future[None] | None = None
        held: list[Encoded] = []
        file, size, bytes_read, writes = "", 0, 0, 0
        try:
            for block in blocks:
                if held and (size > _write_bytes(writes) or block.file != file):
                    writing = self._hand_over(writer, writing, file, held)
                    held, size, writes = [], 0, writes + 1
                encoded = self.encoder.encode(block)
                held.append(encoded)
                file, bytes_read = block.file, block.bytes_read
                size += len(encoded.lines)
                progress(self._progress(bytes_read))
            writing = self._hand_over(writer, writing, file, held)
        finally:
            # never leave while the other thread uses the connection; its error comes first
            if writing is not None:
                writing.result()
        progress(self._progress(bytes_read))

    def _hand_over(
        self,
        writer: ThreadPoolExecutor,
        writing: Future[None] | None,
        file: str,
        held: list[Encoded],
    ) -> Future[None]:
        if writing is not None:
            writing.result()
        return writer.submit(self._write, file, joined(held))

    def _progress(self, bytes_read: int) -> Progress:
        return Progress(self.added + self.known + self.rejected, self.rejected, bytes_read)

    def report(self) -> IntakeReport:
        return IntakeReport(self.added, self.known, self.rejected, self.n_problems, self.problems)

    def _note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.n_problems += 1
            self.on_problem(problem)
            if len(self.problems) < PROBLEMS_MAX:
                self.problems.append(problem)

    def _write(self, file: str, encoded: Encoded) -> None:
        # only this thread counts and notes, so that nothing is counted twice at once
        self._note(encoded.problems)
        self.rejected += encoded.rejected
        if not encoded.rows:
            return
        if not self.careful and store.copy_items(self.conn, encoded.lines):
            added = len(encoded.rows)
        else:
            added = self._merge(file, encoded)
        if added:
            self.mark = store.make_tasks(self.conn, self.batch.id, self.to, self.mark)
        self.added += added

    def _merge(self, file: str, encoded: Encoded) -> int:
        others = list(store.merge_items(self.conn, encoded.lines, self.mark))
        self.careful = bool(others)
        differing = [other for other in others if not other.same]
        self.known += len(others) - len(differing)
        self.rejected += len(differing)
        self._note(_taken(file, encoded.rows[other.position - 1], other) for other in differing)
        return len(encoded.rows) - len(others)


def _write_bytes(writes: int) -> int:
    return int(min(WRITE_BYTES << (writes // WRITES), WRITE_BYTES_MAX))


def _taken(file: str, row: int, other: store.NotTaken) -> Problem:
    where = "the batch has" if other.before else "a row before it has"
    return Problem(
        f"{where} the key {other.key!r} with other values",
        "use another key, or a new batch",
        file,
        row,
        "reference",
    )


def one_block(records: Iterable[Mapping[str, Any]], file: str = "request") -> Iterator[Block]:
    """Records at hand (a small request) as blocks, numbered from 1."""
    kept = [dict(record) for record in records]
    yield Block(rows=range(1, len(kept) + 1), records=kept, file=file)
