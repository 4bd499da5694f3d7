"""Lists of items: every walk, condition and direction tells what reading everything would."""

import random
from itertools import product
from typing import Any

import psycopg
import pytest
from msgspec import UNSET

from canut.insight import browse as module
from canut.insight.browse import Asked, Place, Row, browse, folded_words, has_key
from canut.insight.search import weave_blocks
from tests.factories import Work, work

THINGS = ("Écharpe rouge", "lampe 40-W", "Bouilloire", "lampadaire", "rouge à lèvres")
#: more than one block of words, and some that are in none
ITEMS = 620


@pytest.fixture
def shelf(db: psycopg.Connection[Any]) -> Work:
    """Items in every state, and others of another batch beside them."""
    made = work(db, items=ITEMS)
    work(db, items=5)
    chance, step = random.Random(3), made.batch_steps[0]
    for n, (item, task) in enumerate(zip(made.items, made.tasks, strict=True)):
        title = f"{THINGS[n % len(THINGS)]} n° {n}"
        key = f"{'AB'[n % 2]}-{n:04d}"
        db.execute(
            """update item set payload = jsonb_build_object('title', %s::text), key = %s
               where id = %s""",
            [title, key, item],
        )
        if n % 3 == 0:
            db.execute("update task set expert = %s where id = %s", [n % 9 == 0, task])
            continue
        value = chance.choice(["red", "green", "blue"])
        method = chance.choice(["answers", "expert", "panel"])
        db.execute("update task set decided = true, open = false where id = %s", [task])
        db.execute(
            """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
               n_answers, evidence, decided_ms)
               values (%s, %s, %s, to_jsonb(%s::text), %s, %s, 2, '[0]', 1)""",
            [task, step, item, value, round(chance.random(), 2), method],
        )
        if n % 50 == 1:
            db.execute(
                """insert into dispute (client_id, batch_id, batch_step_id, item_id, task_id,
                   reason, was, opened_ms) values (%s, %s, %s, %s, %s, 'No.', '1', 1)""",
                [made.client_id, made.batch_id, step, item, task],
            )
    db.execute("update batch set n_items = %s where id = %s", [ITEMS, made.batch_id])
    while weave_blocks(db):
        pass
    return made


def fits(row: Row, asked: Asked) -> bool:
    """The same as the conditions, for a row that was read."""
    state = {
        "": True,
        "open": not row.decided,
        "expert": not row.decided and row.expert,
        "decided": row.decided,
        "contested": row.contested,
    }[asked.state]
    said = " " + row.payload["title"].lower().replace("é", "e").replace("-", " ")
    return (
        state
        and (not asked.method or row.method == asked.method)
        and (asked.value is UNSET or row.value == asked.value)
        and (asked.under is None or (row.decided and (row.confidence or 0) < asked.under))
        and row.key.startswith(asked.key)
        and all(f" {word}" in said for word in asked.words)
        and (row.decided or not asked.by_confidence)
    )


def walk(db: psycopg.Connection[Any], batch: int, asked: Asked) -> list[Row]:
    """Every page, forward; and back again, which must be the same pages."""
    there = [browse(db, batch, asked, Place())]
    while there[-1].next is not None:
        there.append(browse(db, batch, asked, there[-1].next))
    rows = [row for page in there for row in page.rows]
    back = there[-1]
    again = list(back.rows)
    while back.previous is not None:
        back = browse(db, batch, asked, back.previous, back=True)
        again = [*back.rows, *again]
    assert again == rows or not there[-1].rows
    return rows


def test_every_way_of_asking_finds_what_is_there(
    db: psycopg.Connection[Any], shelf: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked for together, the pages hold exactly the items that reading all of them
    finds, in their order, each once, in both directions; and none of another batch."""
    monkeypatch.setattr(module, "PAGE", 40)
    monkeypatch.setattr(module, "WINDOW", 300)
    monkeypatch.setattr(module, "BLOCKS", 300 // 256 + 2)
    batch, step = shelf.batch_id, shelf.batch_steps[0]
    everything = walk(db, batch, Asked(step))
    assert len(everything) == ITEMS
    states = ("", "open", "expert", "decided", "contested")
    texts: list[dict[str, Any]] = [{}, {"key": "A-"}, {"words": ("lamp",)}]
    more: list[dict[str, Any]] = [{}, {"method": "panel"}, {"value": "red"}, {"under": 0.3}]
    for state, text, one in product(states, texts, more):
        asked = Asked(step, state=state, **text, **one)  # type: ignore[arg-type]
        found = walk(db, batch, asked)
        wanted = [row for row in everything if fits(row, asked)]
        if asked.under is not None:
            wanted.sort(key=lambda row: (row.confidence, row.item_id))
        elif asked.key:
            wanted.sort(key=lambda row: row.key)
        assert [row.key for row in found] == [row.key for row in wanted], asked


def test_words_are_found_by_their_beginnings(db: psycopg.Connection[Any], shelf: Work) -> None:
    """Capitals, accents and signs between words do not matter; all words must be there."""
    step = shelf.batch_steps[0]
    for text, count in (("ECHARPE", 124), ("rouge", 248), ("lèvres rouge", 124), ("40", 133)):
        words = folded_words(db, text)
        asked = Asked(step, words=words)
        found = walk(db, shelf.batch_id, asked)
        assert len(found) == count, text
    assert folded_words(db, "  l'été, à 40% ") == ("l", "ete", "a", "40")
    assert walk(db, shelf.batch_id, Asked(step, words=("charpe",))) == []


def test_blocks_hold_full_ranges_once(db: psycopg.Connection[Any], shelf: Work) -> None:
    """Blocks follow each other without a gap; what is left over waits for more items."""
    blocks = db.execute(
        "select first_item, last_item from item_block where batch_id = %s order by 1",
        [shelf.batch_id],
    ).fetchall()
    assert blocks == [
        (shelf.items[0], shelf.items[255]),
        (shelf.items[256], shelf.items[511]),
    ]
    assert weave_blocks(db) == 0


def test_places_from_elsewhere_do_no_harm(db: psycopg.Connection[Any], shelf: Work) -> None:
    """An address that was made for another order, or by hand, gives a page and no error."""
    step = shelf.batch_steps[0]
    for place in (Place(5, "abc"), Place(5, "nan"), Place(10**17, "A"), Place(0, "\U0010ffff")):
        for asked in (Asked(step), Asked(step, by_confidence=True), Asked(step, key="A")):
            for back in (False, True):
                browse(db, shelf.batch_id, asked, place, back=back)
    assert has_key(db, shelf.batch_id, "A-00")
    assert not has_key(db, shelf.batch_id, "a-00")
