"""A client, a process and a batch to try things on."""

from itertools import count
from typing import Any

from canut.processes.model import ItemField, ItemShape, ProcessDefinition, StepDefinition
from canut.processes.store import ProcessVersion, publish
from canut.work.intake import open_batch
from canut.work.model import Batch

NOW = 1_800_000_000_000
CHOICE = {
    "type": "choice",
    "title": "What is it?",
    "options": [{"value": "lamp", "label": "Lamp"}, {"value": "vase", "label": "Vase"}],
}
_numbers = count()


def shape(**given: Any) -> ItemShape:
    fields = (
        ItemField("title", "Title", required=True, length_max=200),
        ItemField("price", "Price", "number"),
    )
    return ItemShape(fields, **given)


def definition(*questions: dict[str, Any], **given: Any) -> ProcessDefinition:
    asked = questions or (CHOICE,)
    steps = tuple(
        StepDefinition(f"step{n}" if n else "category", "Step", question, {"en": "Pick."})
        for n, question in enumerate(asked)
    )
    return ProcessDefinition("shop/sort", "Sort", "Sort them", shape(**given), steps)


def client(db: Any) -> int:
    slug = f"shop-{next(_numbers)}"
    sql = "insert into client (slug, name, created_ms) values (%s, 'Shop', 0) returning id"
    return int(db.execute(sql, [slug]).fetchone()[0])


def version(db: Any, client_id: int, *questions: dict[str, Any], **given: Any) -> ProcessVersion:
    return publish(db, client_id, definition(*questions, **given), NOW)


def batch(db: Any, *questions: dict[str, Any], **given: Any) -> Batch:
    client_id = client(db)
    found = version(db, client_id, *questions, **given)
    return open_batch(db, client_id, "spring", found.id, NOW)
