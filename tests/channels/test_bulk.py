"""The bulk lane without its engines: what is split, kept, handed over and merged."""

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from canut.agents import store as store_agents
from canut.agents.learning.learner import LEARNER
from canut.agents.model import Item, Prediction, Version, step_of
from canut.agents.running.verbs import NewAgent, put_to_work
from canut.channels.bulk import store
from canut.channels.bulk.engines import load_daft
from canut.channels.bulk.folder import Folder
from canut.channels.bulk.handing import hand_over
from canut.channels.bulk.merge import Merged, merge, told_in_words
from canut.channels.bulk.model import counted
from canut.channels.bulk.run import check_done, finished, prepare, problems
from canut.channels.bulk.score import Scorer
from canut.channels.bulk.split import Splitter, as_ppm, planned_share, sampled
from canut.cli.main import cli
from canut.errors import CanutError, Conflict, Invalid, NotFound
from canut.people.store import COMMAND_LINE
from canut.quality.licences import store as store_licences
from canut.quality.licences import store_blind
from canut.quality.model import LicencePlace
from tests.channels import bulk_house as house
from tests.work import made

ROWS = 200
STEP = step_of(made.definition().steps[0], made.shape())


class Sure:
    """An agent that is as sure as the items say; for an item that says nothing it passes."""

    version = Version("sure", "1", STEP.schema_hash())

    def __init__(self, field: str):
        self.field, self.asked = field, set[int]()

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        self.asked |= {item.key for item in items}
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Prediction:
        sure = item.payload.get(self.field)
        value = None if sure is None else self.field
        return Prediction(item.key, value, sure or 0.0, self.version.hash(), self.field)

    def learn(self, examples: Sequence[Any]) -> bytes:
        return b""


@given(
    rows=st.lists(
        st.tuples(st.none() | st.floats(0.01, 1), st.none() | st.floats(0.01, 1), st.booleans()),
        max_size=30,
    ),
    thresholds=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1)),
)
def test_who_decides_and_who_is_asked(rows: Any, thresholds: tuple[float, float]) -> None:
    """A row is decided only by an agent at or above its own threshold, the first of those who may,
    and never when it is in the sample; everything said about the sample is evidence, however
    sure, and nothing else is."""
    first, second = Sure("lamp"), Sure("vase")
    items = [
        Item(n, str(n), {"lamp": one, "vase": other}) for n, (one, other, _) in enumerate(rows)
    ]
    inside = [drawn for *_, drawn in rows]
    told, heard = Splitter(STEP, [first, second], thresholds).split(items, inside)
    for number, ((one, other, drawn), what) in enumerate(zip(rows, told, strict=True)):
        by_first = one is not None and one >= thresholds[0]
        by_second = not by_first and other is not None and other >= thresholds[1]
        stage = 0 if by_first else 1 if by_second else None
        assert what.stage == stage
        assert what.way == ("people" if stage is None else "audit" if drawn else "decided")
        assert (number in second.asked) == (not by_first)
        wanted = [(0, one)] if one is not None else []
        wanted += [(1, other)] if other is not None and not by_first else []
        said = [(found.stage, found.confidence) for found in heard if found.key == number]
        assert said == (wanted if drawn else [])


def test_an_answer_that_fails_a_check_decides_nothing() -> None:
    """What the step declares of answers holds in bulk as on live tasks: such a row goes on to the
    next agent, and what failed is no evidence either."""
    tables = ({"check": "format", "field": "answer", "pattern": "vase"},)
    step = step_of(structs.replace(made.definition().steps[0], checks=tables), made.shape())
    items = [Item(n, str(n), {"lamp": 0.9, "vase": 0.8} if n else {"lamp": 0.9}) for n in range(2)]
    told, heard = Splitter(step, [Sure("lamp"), Sure("vase")], (0.5, 0.5)).split(items, [True] * 2)
    assert [(one.way, one.stage) for one in told] == [("people", None), ("audit", 1)]
    assert [(one.key, one.value) for one in heard] == [(1, "vase")]


def test_the_sample_is_known_to_who_has_the_seed() -> None:
    """The draw depends on seed and key alone; its share is kept; a share above nothing draws."""
    keys = [f"s{n}" for n in range(20_000)]
    drawn = sampled(house.SEED, keys, as_ppm(0.1))
    assert drawn[500:600] == sampled(house.SEED, keys[500:600], as_ppm(0.1))
    assert drawn != sampled("00" * 32, keys, as_ppm(0.1))
    assert 0.09 < sum(drawn) / len(keys) < 0.11
    assert (as_ppm(0.0), as_ppm(1e-9)) == (0, 1)
    assert planned_share(0.03, 1_000) == 0.03
    assert planned_share(0.03, 10_000_000) * 10_000_000 == pytest.approx(2_000)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Files of the input, one of each kind, with the state of a learner."""
    (tmp_path / "in").mkdir()
    house.csv_file(tmp_path / "in" / "a.csv", range(1, 101))
    house.parquet_file(tmp_path / "in" / "b.parquet", range(101, 201), group=30)
    (tmp_path / "learner.state").write_bytes(house.state())
    return tmp_path


def test_from_files_to_one_result(db: Any, catalogue: Path) -> None:
    """Every row comes out once, in the order of the input, from whom it is; only what people are
    needed for is in the database, without a mark that tells the sample from the rest; what is
    written says that nothing is proved, and what the sample found."""
    client_id = made.client(db)
    house.published(db, client_id)
    folder, run, plan = house.scored(db, house.asked(client_id, catalogue), catalogue / "out")
    counts = counted(finished(folder))
    assert [part.rows for part in plan.parts] == [100, 60, 40]
    assert (plan.rows, counts.rows, counts.rejected) == (ROWS, ROWS, 0)
    unknown = {f"s{n}" for n in range(1, ROWS + 1) if house.right(n) is None}
    drawn = set(_drawn(range(1, ROWS + 1)))
    assert counts.people == len(unknown)
    assert counts.audit == len(drawn - unknown)
    handed, report = hand_over(db, folder, COMMAND_LINE, made.NOW)
    assert handed
    assert report
    assert report.added == counts.people + counts.audit
    items = db.execute("select key, payload from item where batch_id = %s", [handed.batch_id])
    in_batch = dict(items.fetchall())
    assert in_batch.keys() == unknown | drawn
    assert {name for item in in_batch.values() for name in item} == {"title", "price", "buyer"}
    shown = CliRunner().invoke(cli, ["bulk", "show", folder.place]).output
    assert "3 of 3 parts scored" in shown
    assert f"people's part is batch {handed.batch_id}" in shown
    # again is the same batch
    assert hand_over(db, folder, COMMAND_LINE, made.NOW) == (handed, None)

    with pytest.raises(Conflict, match="not decided yet"):
        merge(db, folder, io.BytesIO(), "parquet")
    told, _ = merged(db, folder, unfinished=True)
    assert told.waiting == len(in_batch)
    assert told.error_max is None
    _decide(db, handed.batch_id, run.step, wrong=next(iter(sorted(drawn - unknown))))
    told, rows = merged(db, folder)
    assert [row["key"] for row in rows] == [f"s{n}" for n in range(1, ROWS + 1)]
    assert [row["position"] for row in rows] == list(range(1, ROWS + 1))
    assert (rows[0]["file"], rows[150]["file"], rows[150]["row"]) == ("a.csv", "b.parquet", 51)
    by = {key: row for row in rows if (key := row["key"])}
    for number in range(1, ROWS + 1):
        row = by[f"s{number}"]
        source = "people" if row["key"] in unknown else "audit" if row["key"] in drawn else "agent"
        assert row["source"] == source
        if source == "agent":
            assert row["category"] == house.right(number)
            assert row["agent"] == run.stages[0].agent
            assert (row["stage"], row["proved"]) == ("learner", False)
            assert row["category.method"] == "unproved"
    assert (told.agent, told.people, told.audit) == (counts.decided, counts.people, counts.audit)
    assert (told.audited, told.wrong) == (counts.audit, 1)
    assert told.error_max
    assert told.error_max > 1 / counts.audit
    assert "NOTHING IS PROVED" in told_in_words(told, run)[-1]
    written = io.BytesIO()
    merge(db, folder, written, "csv")
    assert written.getvalue().count(b"\r\n") == ROWS + 1
    written = io.BytesIO()
    merge(db, folder, written, "jsonl")
    assert json.loads(written.getvalue().splitlines()[0])["key"] == "s1"


def test_personal_fields_stay_with_people(db: Any, catalogue: Path) -> None:
    """What agents learn of a row, and what they leave behind, has no personal field."""
    client_id = made.client(db)
    house.published(db, client_id)
    folder, _, _ = house.scored(db, house.asked(client_id, catalogue), catalogue / "out")
    assert [field.name for field in Scorer(folder).step.shape.fields] == ["title", "price"]
    for kind in ("decided", "evidence"):
        for name in folder.names(kind):
            assert b"Buyer" not in folder.read(name)
            table = pq.read_table(Path(folder.place) / name)
            assert not any("Buyer" in str(row) for row in table.to_pylist())


def test_what_is_done_is_not_done_again(db: Any, catalogue: Path) -> None:
    """A run that was cut off anywhere goes on with the parts that are missing and gives the same
    result; drafts that a killed process left count as nothing; nobody else may work there."""
    client_id = made.client(db)
    house.published(db, client_id)
    wanted = house.asked(client_id, catalogue, seed="")
    folder, run, _ = house.scored(db, wanted, catalogue / "out")
    whole = {name: folder.read(name) for name in folder.names("people")}
    place = Path(folder.place)
    (place / "done" / "000001.json").unlink()
    (place / "decided" / "000001.parquet").write_bytes(b"half")
    (place / "done" / "000001.json.77.draft").write_bytes(b"{")
    with pytest.raises(Conflict, match="1 of 3 parts"):
        check_done(folder)
    with folder.held():
        assert not list(place.rglob("*.draft"))
        assert prepare(db, folder, wanted, made.NOW) == run
        with pytest.raises(Conflict, match="Another run"), Folder(folder.place).held():
            pass
    Scorer(folder).score(1)
    check_done(folder)
    assert {name: folder.read(name) for name in folder.names("people")} == whole
    for other in ({"threshold": 0.7}, {"key": "autumn"}, {"seed": house.SEED}):
        with pytest.raises(Conflict, match="differs in"):
            prepare(db, folder, structs.replace(wanted, **other), made.NOW)
    (catalogue / "in" / "a.csv").write_text("sku,Name\n")
    with pytest.raises(Conflict, match="has changed"):
        prepare(db, folder, wanted, made.NOW)


def test_bad_rows_are_told_and_nothing_is_half_done(db: Any, tmp_path: Path) -> None:
    """A column that is missing stops the run before it begins, in all files at once; bad values
    are told with file and row and keep everything from the database, unless they are skipped."""
    client_id = made.client(db)
    house.published(db, client_id)
    (tmp_path / "learner.state").write_bytes(house.state())
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.csv").write_text("sku,title\n1,x\n")
    house.parquet_file(inside / "b.parquet", range(3), group=3)
    (inside / "c.csv").write_text("id,Name\n1,x\n")
    wanted = house.asked(client_id, tmp_path)
    with pytest.raises(Invalid) as wrong:
        house.scored(db, wanted, tmp_path / "out")
    assert {problem.file for problem in wrong.value.problems} == {"a.csv", "c.csv"}

    (inside / "c.csv").unlink()
    (inside / "a.csv").write_text("sku,Name,price\n1,bulb shade,3\n2,,4\n3,rim glass,much\n,x,1\n")
    folder, _, _ = house.scored(db, wanted, tmp_path / "two")
    found = [(problem.file, problem.row, problem.field) for problem in problems(folder)]
    assert found == [("a.csv", 2, "title"), ("a.csv", 3, "price"), ("a.csv", 4, "reference")]
    with pytest.raises(Invalid, match="3 rows have something wrong"):
        hand_over(db, folder, COMMAND_LINE, made.NOW)
    assert db.execute(
        "select count(*) from batch where client_id = %s", [client_id]
    ).fetchone() == (0,)
    prepare(db, folder, structs.replace(wanted, on_error="skip"), made.NOW)
    hand_over(db, folder, COMMAND_LINE, made.NOW)
    told, rows = merged(db, folder, unfinished=True)
    assert [row["source"] for row in rows[1:4]] == ["rejected"] * 3
    assert (told.rows, told.rejected) == (7, 3)


def test_no_agent_decides_without_a_licence(db: Any, catalogue: Path) -> None:
    """Without a threshold a licence in force is needed, and its threshold decides; evidence goes
    to it from the whole sample; one that ended since hands nothing over, and proves nothing."""
    client_id = made.client(db)
    version = house.published(db, client_id)
    wanted = house.asked(client_id, catalogue, threshold=None)
    with pytest.raises(Conflict, match="no licence in force"):
        house.scored(db, wanted, catalogue / "out")
    _, probe, _ = house.scored(db, house.asked(client_id, catalogue), catalogue / "probe")
    at = _licensed(db, version.process_id, probe.stages[0].agent, threshold=0.7)
    with pytest.raises(Invalid, match="a sample goes to people"):
        house.scored(db, structs.replace(wanted, audit_share=0.0), catalogue / "out")
    folder, run, _ = house.scored(db, wanted, catalogue / "out")
    assert (run.stages[0].threshold, run.proved) == (0.7, True)
    assert {row["category.method"] for row in _decided(folder)} == {"licence"}
    handed, _ = hand_over(db, folder, COMMAND_LINE, made.NOW)
    assert handed
    drawn = [key for key in _drawn(range(1, ROWS + 1)) if house.right(int(key[1:]))]
    assert handed.evidence == len(drawn)
    [licence] = store_licences.open_at(db, version.process_id, run.step)
    tasks = store.tasks(db, handed.batch_id, run.step, drawn)
    recorded = {one.task_id for one in store_blind.evidence(db, licence.id)}
    assert recorded == set(tasks.values())

    late, _, _ = house.scored(db, structs.replace(wanted, key="late"), catalogue / "late")
    store_licences.end(db, at, made.NOW, "revoked")
    with pytest.raises(Conflict, match="not in force any more"):
        hand_over(db, late, COMMAND_LINE, made.NOW)
    _decide(db, handed.batch_id, run.step)
    told, _ = merged(db, folder)
    assert not told.proved
    assert "ended since" in told_in_words(told, run)[-1]


def test_an_agent_at_work_is_asked_by_its_number(db: Any, catalogue: Path) -> None:
    """The champion of an agent answers with the state it has now; other contributors, and agents
    of other steps, are refused."""
    client_id = made.client(db)
    version = house.published(db, client_id)
    new = NewAgent("learner", version.process_id, "category")
    number = put_to_work(db, COMMAND_LINE, new, version.definition, made.NOW)
    wanted = house.asked(client_id, catalogue, agents=[str(number)])
    with pytest.raises(NotFound, match="no agent that has learned"):
        house.scored(db, wanted, catalogue / "out")
    state = (catalogue / "learner.state").read_bytes()
    step = step_of(version.definition.steps[0], version.definition.item)
    kept = store_agents.keep_state(db, state, made.NOW, 40, None)
    known = LEARNER.load(step, state).version
    store_agents.begin(db, number, known, kept, "champion", made.NOW)
    folder, run, _ = house.scored(db, wanted, catalogue / "out")
    assert (run.stages[0].contributor_id, run.stages[0].agent) == (number, known.hash())
    assert {row["contributor"] for row in _decided(folder)} == {number}


def test_agents_that_cannot_be_asked(db: Any, catalogue: Path) -> None:
    """What is no agent, no state, no step or no input is said before anything begins."""
    client_id = made.client(db)
    house.published(db, client_id)
    (catalogue / "odd.state").write_bytes(b"odd")
    for given_, words in (
        ({"agents": ["odd.state"]}, "cannot be read"),
        ({"agents": [str(catalogue / "odd.state")]}, "does not say which agent"),
        ({"agents": [f"learner={catalogue / 'odd.state'}"]}, "state of an agent"),
        ({"step": "colour"}, "has no step"),
        ({"threshold": 1.2}, "The threshold is"),
        ({"audit_share": 1.2}, "The share of audits"),
        ({"seed": "ab"}, "no 32 bytes"),
        ({"input": str(catalogue / "none")}, "nothing to read"),
        ({"input": str(catalogue / "*.state")}, "hold no table"),
        ({"input": "https://shop.example/a.csv"}, "no place for a catalogue"),
    ):
        with pytest.raises(CanutError, match=words):
            house.scored(db, house.asked(client_id, catalogue, **given_), catalogue / "out")
    assert not (catalogue / "out" / "run.json").exists()


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Daft the command says what to install."""
    monkeypatch.setitem(sys.modules, "daft", None)
    with pytest.raises(Invalid, match=r"canut\[bulk\]"):
        load_daft("local", 1)


def merged(db: Any, folder: Folder, **given_: Any) -> tuple[Merged, list[dict[str, Any]]]:
    out = io.BytesIO()
    told = merge(db, folder, out, "parquet", **given_)
    return told, pq.read_table(io.BytesIO(out.getvalue())).to_pylist()


def _drawn(numbers: range) -> list[str]:
    keys = [f"s{n}" for n in numbers]
    inside = sampled(house.SEED, keys, as_ppm(0.2))
    return [key for key, drawn in zip(keys, inside, strict=True) if drawn]


def _decided(folder: Folder) -> list[dict[str, Any]]:
    return [
        row
        for name in folder.names("decided")
        for row in pq.read_table(Path(folder.place) / name).to_pylist()
    ]


def _licensed(db: Any, process_id: int, basis: str, threshold: float) -> LicencePlace:
    """An agent with a licence in force for this version of itself."""
    who = db.execute(
        "insert into contributor (kind, name, created_ms) values ('agent', 'Loom', 0) returning id"
    ).fetchone()[0]
    at = LicencePlace(who, process_id, "category")
    values = {
        "state": "in_force",
        "granted": made.NOW,
        "basis": basis,
        "error_max": 0.02,
        "delta": 0.05,
        "threshold": threshold,
        "seed": house.SEED,
        "ppm": 30_000,
    }
    store_licences.begin(db, at, made.NOW, values)
    return at


def _decide(db: Any, batch_id: int, step: str, wrong: str = "") -> None:
    """People decide: as the agent would, but for one key; of the unknown all are vases."""
    keys = [row[0] for row in db.execute("select key from item where batch_id = %s", [batch_id])]
    for key, task in store.tasks(db, batch_id, step, keys).items():
        value = house.right(int(key[1:])) or "vase"
        if key == wrong:
            value = "lamp" if value == "vase" else "vase"
        db.execute(
            """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
                n_answers, evidence, decided_ms)
            select id, batch_step_id, item_id, %s, 0.99, 'answers', 2, '{}', %s from task
            where id = %s""",
            [json.dumps(value), made.NOW, task],
        )
