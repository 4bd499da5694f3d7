"""Items of a batch as a list: by state, decision, confidence, who decided, key and words, in both
directions, whatever the number of items.

    page = browse(conn, batch_id, Asked(step=4, state="open"), Place(), back=False)

Each statement passes a bounded number of items. Where few of them are what was asked for, a page
may be short, or empty, and yet not the last: `Page.passed` says how many were looked at, and
`Page.next` where to go on.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from canut.db.pool import SyncConn
from canut.insight import store_browse as store

State = Literal["", "open", "expert", "decided", "contested"]

#: items on a page
PAGE = 50
#: items that one statement passes, and statements of one page
WINDOW, WINDOWS = 500, 20
#: blocks of words that one statement reads: more items than it passes, wherever it begins, so that
#: it never comes to what is in no block before it has passed the blocks
BLOCKS = WINDOW // 256 + 2
#: words of a search, the others are left out
WORDS_MAX = 6
#: the last of all texts, as bytes compare
LAST = "\U0010ffff"


class Asked(Struct, frozen=True):
    """Which items are asked for; empty fields ask for nothing."""

    #: batch step that states and decisions are of
    step: int
    state: State = ""
    method: str = ""
    value: Any | UnsetType = UNSET
    #: decided with less than this confidence
    under: float | None = None
    #: the beginning of a key
    key: str = ""
    #: words, or beginnings of words, all of which the item has, folded
    words: tuple[str, ...] = ()
    #: least sure first, rather than in the order of the file
    by_confidence: bool = False


class Place(Struct, frozen=True):
    """Between two items: after the item, or before it when going back. Empty: at the beginning."""

    item: int = 0
    #: what the walk is sorted by besides: a key, or a confidence
    sort: str = ""


class Row(Struct, frozen=True):
    """An item in a list."""

    item_id: int
    key: str
    payload: dict[str, Any]
    value: Any
    confidence: float | None
    method: str | None
    n_answers: int
    decided: bool
    expert: bool
    #: whether it has come to this step
    begun: bool
    contested: bool


class Page(Struct, frozen=True):
    """Some items, in their order."""

    rows: list[Row]
    #: where the pages before and after this one are; None: there are none
    previous: Place | None
    next: Place | None
    #: items that were looked at for it
    passed: int
    #: whether nothing is left in the direction of the walk
    complete: bool


def browse(
    conn: SyncConn, batch_id: int, asked: Asked, place: Place, *, back: bool = False
) -> Page:
    """The items after `place`, or with `back` those before it."""
    walk, conditions = _plan(asked)
    values = _values(batch_id, asked)
    at, found, passed, more = place, list[list[str]](), 0, True
    began = bool(place.item or place.sort)
    window = WINDOW if conditions else PAGE + 1
    for _ in range(WINDOWS):
        position = _position(walk, at, asked.under, began=began or passed > 0, back=back)
        values |= position | {"page": PAGE - len(found), "window": window}
        n, last, kept = store.page(conn, walk, conditions, back=back, values=values)
        found += kept
        passed += n
        more = n >= window
        if len(found) > PAGE or not more or last is None:
            break
        at = Place(int(last[0]), last[1] or "")
    full = len(found) > PAGE
    places = [Place(int(item), sort or "") for item, sort in found[:PAGE]]
    onward = places[-1] if full else at if more else None
    return _page(conn, batch_id, asked, places, onward, passed, back=back, began=began)


def folded_words(conn: SyncConn, text: str) -> tuple[str, ...]:
    """The words of a search."""
    return tuple(store.words(conn, text[:200], WORDS_MAX))


def has_key(conn: SyncConn, batch_id: int, beginning: str) -> bool:
    """Whether a key of the batch begins so."""
    return store.has_key(conn, batch_id, beginning, beginning + LAST)


def _page(
    conn: SyncConn,
    batch_id: int,
    asked: Asked,
    places: list[Place],
    onward: Place | None,
    passed: int,
    *,
    back: bool,
    began: bool,
) -> Page:
    rows = {
        row[0]: Row(*row)
        for row in store.rows(conn, batch_id, asked.step, [one.item for one in places])
    }
    listed = [rows[one.item] for one in (reversed(places) if back else places)]
    first = places[0] if places else None
    # the way back is there once one has gone on
    behind = first if began else None
    if back:
        last = first or Place()
        return Page(listed, onward, last, passed, onward is None)
    return Page(listed, behind, onward, passed, onward is None)


def _plan(asked: Asked) -> tuple[str, list[str]]:
    """The walk, and the conditions that it does not keep by itself."""
    wanted: list[str] = []
    if asked.by_confidence or asked.under is not None:
        wanted.append("sure")
    if asked.words:
        wanted.append("words")
    if asked.key:
        wanted.append("key")
    if asked.state in ("expert", "contested"):
        wanted.append(asked.state)
    if asked.value is not UNSET:
        wanted.append("value")
    if asked.method:
        wanted.append("method")
    if asked.state in ("open", "decided"):
        wanted.append(asked.state)
    order = ("sure", "words", "key", "contested", "expert", "value", "method", "open", "decided")
    walk = next((one for one in order if one in wanted), "file")
    return walk, [one for one in wanted if one != walk or one == "words"]


def _values(batch_id: int, asked: Asked) -> dict[str, Any]:
    words = " & ".join(f"'{batch_id}/{word}':*" for word in asked.words)
    return {
        "batch": batch_id,
        "step": asked.step,
        "method": asked.method,
        "value": None if asked.value is UNSET else store.json(asked.value),
        "under": 2.0 if asked.under is None else asked.under,
        "key": asked.key,
        "key_end": asked.key + LAST,
        "holds": [f"%{word}%" for word in asked.words],
        # words hold letters, digits and underscores only: see item_words
        "begins": [f"\\m{word}" for word in asked.words],
        "query": f"({words}) | '{batch_id}/*'" if words else "",
        "blocks": BLOCKS,
    }


def _position(
    walk: str, at: Place, under: float | None, *, began: bool, back: bool
) -> dict[str, Any]:
    if walk == "sure":
        return _confidence(at, 2.0 if under is None else under, began=began, back=back)
    if began:
        return {"item": at.item, "sort": at.sort}
    # before and after everything that there may be
    return {"item": 2**63 - 1 if back else 0, "sort": LAST if back else ""}


def _confidence(at: Place, under: float, *, began: bool, back: bool) -> dict[str, Any]:
    if not began or not _is_number(at.sort):
        return {"item": 0, "sort": str(under) if back else "-1"}
    if back and float(at.sort) >= under:
        return {"item": 0, "sort": str(under)}
    return {"item": at.item, "sort": at.sort}


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
