"""Every call of the API, built but not sent; the sync and async clients send them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, TypedDict, Unpack
from urllib.parse import quote

from canut.sdk import values as v
from canut.sdk.call import Call, get, post
from canut.sdk.sources import Items, open_source

#: classes to choose from: their values, or tables with labels and parents
Taxonomy = Sequence[str | v.TaxonomyOption]


class BatchOptions(TypedDict, total=False):
    """What may be said of a new batch."""

    #: for people; the key if left out
    name: str
    #: -5 to 5: its share of the work doubles with each
    priority: int
    deadline_ms: int | None
    #: classes to choose from instead of the process's own
    taxonomy: Taxonomy | None
    #: the step that gets the taxonomy, where several could
    step: str
    #: for whom, if you act for several clients
    client: int | None


class ItemOptions(TypedDict, total=False):
    """How items are read."""

    #: what to do when a row is wrong: take nothing ("stop", the default), or leave it out
    on_error: Literal["stop", "skip"]
    #: the column each field of the process is in, where its name differs
    columns: Mapping[str, str]
    #: the column with your own key of an item; without it, row numbers are the keys
    reference: str | None
    #: format of a file object without a name: text/csv, application/x-ndjson, ...
    media_type: str | None


def me() -> Call[v.Me]:
    """Who the key belongs to, and what it may do."""
    return get("me", v.Me)


def processes(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Process]]:
    """What batches can be submitted to."""
    query = {"limit": limit, "cursor": cursor}
    return get("processes", v.Page[v.Process], query)


def process(slug: str) -> Call[v.ProcessDetail]:
    """A process with its steps."""
    return get(f"processes/{quote(slug)}", v.ProcessDetail)


def batches(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Batch]]:
    """Your batches, newest first."""
    query = {"limit": limit, "cursor": cursor}
    return get("batches", v.Page[v.Batch], query)


def create_batch(process: str, key: str, **options: Unpack[BatchOptions]) -> Call[v.Batch]:
    """Make a batch; the same key again is the same batch."""
    body = v.NewBatch(process=process, key=key, **options)
    return post("batches", v.Batch, body, repeatable=False)


def batch(id: int) -> Call[v.Batch]:
    """A batch with its progress."""
    return get(f"batches/{id}", v.Batch)


def add_items(id: int, items: Items, **options: Unpack[ItemOptions]) -> Call[v.Received]:
    """Send items: a path (.csv, .jsonl, .parquet), a binary file object or dicts.

    Sending the same items again creates nothing twice.
    """
    query: dict[str, Any] = {
        "on_error": options.get("on_error"),
        "reference": options.get("reference"),
        "map": [f"{field}={column}" for field, column in options.get("columns", {}).items()],
    }
    source = open_source(items, options.get("media_type"))
    path = f"batches/{id}/items"
    return Call(method="POST", path=path, query=query, source=source, reply=v.Received)


def add_picture(picture: str | Path | IO[bytes], *, client: int | None = None) -> Call[v.Picture]:
    """Keep a picture with the server, a path or a binary file object, for items that show it:
    its `value` goes into a field of type image."""
    source = open_source(picture, "image/*")
    return Call(
        method="POST", path="pictures", query={"client": client}, source=source, reply=v.Picture
    )


def pause(id: int) -> Call[v.Batch]:
    """Stop handing out tasks."""
    return post(f"batches/{id}/pause", v.Batch)


def resume(id: int) -> Call[v.Batch]:
    """Hand out tasks again."""
    return post(f"batches/{id}/resume", v.Batch)


def cancel(id: int) -> Call[v.Batch]:
    """End a batch for good; what was decided stays."""
    return post(f"batches/{id}/cancel", v.Batch)


def prioritise(id: int, priority: int) -> Call[v.Batch]:
    """Give a batch another priority, -5 to 5."""
    body = v.Priority(priority)
    return Call(method="PATCH", path=f"batches/{id}", body=body, reply=v.Batch)


def results(id: int, *, items: bool = True, undecided: bool = True) -> Call[v.Result]:
    """The items with their decisions so far, as a stream; `items` has the items' own fields in,
    `undecided` the items that are not done."""
    query = {"format": "jsonl", "items": _flag(items), "undecided": _flag(undecided)}
    path = f"batches/{id}/decisions"
    return Call(method="GET", path=path, query=query, reply=v.Result, lines=True)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def webhooks(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Webhook]]:
    """Where deliveries are announced."""
    query = {"limit": limit, "cursor": cursor}
    return get("webhooks", v.Page[v.Webhook], query)


def create_webhook(url: str, *, client: int | None = None) -> Call[v.WebhookCreated]:
    """Announce deliveries to this address; the reply holds the secret that signs them."""
    body = v.NewWebhook(url=url, client=client)
    reply = v.WebhookCreated
    return post("webhooks", reply, body, repeatable=False)


def delete_webhook(id: int) -> Call[None]:
    """Announce nothing there any more."""
    return Call(method="DELETE", path=f"webhooks/{id}", reply=type(None))


def claim(count: int = 1, *, batch: int | None = None) -> Call[v.Claimed]:
    """Take tasks, at most 50. When a reply is lost and the claim is sent again, `live` tells of
    the tasks of the first."""
    body = v.Claim(count=count, batch=batch)
    return post("claims", v.Claimed, body)


def live() -> Call[v.Claimed]:
    """The tasks held."""
    return get("claims", v.Claimed)


def give_back(task: str) -> Call[None]:
    """Return a task that you would rather not answer."""
    return Call(method="DELETE", path=f"claims/{task}", reply=type(None))


def answer(task: str, value: Any, confidence: float | None = None) -> Call[v.Answered]:
    """Answer one task; safe to repeat. An agent may say how sure it is, 0 to 1."""
    return answer_all([v.Answer(task, value, confidence)])


def answer_all(answers: Iterable[tuple[str, Any] | v.Answer]) -> Call[v.Answered]:
    """Answer up to 100 tasks, as (task, value) or with a confidence; safe to repeat."""
    given = [a if isinstance(a, v.Answer) else v.Answer(*a) for a in answers]
    body = v.Answers(given)
    return post("answers", v.Answered, body)


def question(step: int) -> Call[v.StepQuestion]:
    """What a step asks, and the shape of its answer."""
    return get(f"steps/{step}", v.StepQuestion)


def options(step: int, *, locale: str = "en") -> Call[v.Options]:
    """Every option of a step's question."""
    query = {"locale": locale}
    return get(f"steps/{step}/options", v.Options, query)


def contributors(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Contributor]]:
    """Who answers tasks (operators)."""
    query = {"limit": limit, "cursor": cursor}
    return get("contributors", v.Page[v.Contributor], query)


def create_contributors(
    count: int = 1, *, name: str = "Simulated", skills: Iterable[str] = ()
) -> Call[v.ContributorsCreated]:
    """Make simulated contributors, each with a key (operators)."""
    body = v.NewContributors(count=count, name=name, skills=list(skills))
    reply = v.ContributorsCreated
    return post("contributors", reply, body, repeatable=False)


def clients(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Client]]:
    """Organisations that hand work over (operators)."""
    query = {"limit": limit, "cursor": cursor}
    return get("clients", v.Page[v.Client], query)


def create_client(slug: str, name: str) -> Call[v.ClientCreated]:
    """Make an organisation with its first key (operators)."""
    body = v.NewClient(slug=slug, name=name)
    reply = v.ClientCreated
    return post("clients", reply, body, repeatable=False)


def audit(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.AuditEntry]]:
    """Who changed what, newest first (operators)."""
    query = {"limit": limit, "cursor": cursor}
    return get("audit", v.Page[v.AuditEntry], query)
