"""What a page may do in a browser: nothing of it is a script or a style that stands in the page
itself, and every reply says so."""

import re
from pathlib import Path
from urllib.parse import quote

from litestar import Litestar

import canut
from canut.config import Settings
from canut.db.pool import connect
from canut.processes.library import load_shipped
from canut.processes.store import publish
from canut.work.intake import add_items, one_block, open_batch
from tests.web.conftest import Applications, Serving

NOW = 1_790_000_000_000

SOURCE = Path(canut.__file__).parent
#: a script without an address, a style, a handler, an address that runs
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|<[^>]+\son[a-z]+\s*=|javascript:|srcdoc", re.I
)
JINJA = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.S)
#: what is streamed for as long as somebody listens
ENDLESS = "/batches/{batch_id:int}/events"


#: a role or a scope that a page asks for -> who has it
WHO = {"contributor": "worker", "work": "worker", "client": "member", "batches:read": "member"}
WHO |= {"batches:write": "member", "operator": "operator", "operate": "operator", "": "member"}


def places(app: Litestar) -> dict[str, str]:
    """Every address of the pages that can be opened -> somebody who may ("" for anybody)."""
    found = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if "GET" in handler.http_methods and not route.path.startswith(("/api/v", "/static")):
                names = sorted(handler.opt.get("requires") or [""])
                found[route.path] = "" if handler.opt.get("open") else WHO[names[0]]
    return found


def test_no_template_holds_a_script_or_a_style() -> None:
    """What is written into a template would be refused by the browser, or open the door to what
    an attacker writes."""
    folders = (SOURCE / "web" / "templates", SOURCE / "questions" / "widgets")
    texts = {path: path.read_text("utf-8") for one in folders for path in one.rglob("*.html")}
    assert len(texts) > 50
    written = {path: JINJA.sub("x", text) for path, text in texts.items()}
    assert {path.name: INLINE.findall(text) for path, text in written.items()} == {
        path.name: [] for path in texts
    }


async def test_every_reply_says_what_may_run(
    serving: Serving, people: dict[str, int], applications: Applications
) -> None:
    """Every address, by somebody who may: a policy without `unsafe-inline`, no guessing of types,
    nothing inline, no fault."""
    with applications.lent(Settings(database_url="postgresql://nobody")) as app:
        found = places(app)
    assert len(found) > 50
    async with serving(rate_per_s=0) as browser:
        askers = {who: browser() for who in ("", "worker", "member", "operator")}
        for who, one in askers.items():
            if who:
                await one.log_in(f"{who}@example.org")
        for place, who in found.items():
            if place == ENDLESS:
                continue
            path = re.sub(r"{\w+:(int|str|path)}", "1", place)
            reply = await askers[who].get(path)
            assert reply.status_code < 500, path
            policy = reply.headers["content-security-policy"]
            assert "unsafe" not in policy, path
            assert policy.startswith("default-src 'none'"), path
            assert reply.headers["x-content-type-options"] == "nosniff", path
            if "html" in reply.headers.get("content-type", ""):
                assert not INLINE.search(reply.text), path
                assert "no-store" in reply.headers["cache-control"], path


#: a client's key, name, value or question
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


async def test_what_clients_write_stays_text(
    serving: Serving, people: dict[str, int], fresh_url: str, tmp_path: Path
) -> None:
    """Markup in an item, its key, a batch, a draft's columns and question, or in what is searched,
    is shown as it was written, on every page that shows it."""
    with connect(fresh_url) as conn:
        version = publish(conn, None, load_shipped("search/relevance").definition, NOW)
        batch = open_batch(conn, people["client"], HOSTILE, version.id, NOW, name=HOSTILE)
        fields = load_shipped("search/relevance").definition.item.fields
        texts = [one.name for one in fields if one.type == "text"]
        item = dict.fromkeys(texts, HOSTILE) | {"reference": HOSTILE}
        add_items(conn, batch, one_block([item]))
    async with serving(data=str(tmp_path)) as browser:
        worker, member, operator = browser(), browser(), browser()
        for who, one in (("worker", worker), ("member", member), ("operator", operator)):
            await one.log_in(f"{who}@example.org")
        pasted = f'sku,"{HOSTILE.replace(chr(34), chr(34) * 2)}"\nA1,"{HOSTILE[1:]}"\n'
        drafted = await member.submit("/batches/new", "/batches/new", text=pasted, headed="1")
        draft = drafted.headers["location"].rpartition("/")[0]
        await member.submit(
            f"{draft}/question", f"{draft}/question", pick="made", title=HOSTILE, options=HOSTILE
        )
        await worker.submit(f"/work/{batch.id}", f"/work/{batch.id}/claim")
        key = quote(HOSTILE)
        pages = [
            *((member, f"{draft}/{step}") for step in ("file", "columns", "question", "target")),
            *((member, f"/batches{path}") for path in ("", f"/{batch.id}", f"/{batch.id}?q={key}")),
            (member, f"/batches/{batch.id}/items?key={key}"),
            (member, f"/search?q={key}"),
            (worker, f"/work/{batch.id}"),
            (worker, "/work"),
            (operator, f"/operator/batches/{batch.id}"),
            (operator, f"/search?q={key}"),
            (operator, f"/operator/audit?subject={key}"),
        ]
        shown = 0
        for one, path in pages:
            reply = await one.get(path)
            assert reply.status_code in (200, 404, 422), path
            assert "<script>alert" not in reply.text, path
            assert "<img src=x" not in reply.text, path
            shown += "&lt;script&gt;alert" in reply.text
        assert shown > len(pages) / 2
