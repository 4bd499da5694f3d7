"""What a page may do in a browser: nothing of it is a script or a style that stands in the page
itself, and every reply says so."""

import re
from pathlib import Path

from litestar import Litestar

import canut
from canut.config import Settings
from canut.web.app import create_app
from canut.web.templating import Templates
from tests.web.conftest import Serving

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
    serving: Serving, people: dict[str, int], templates: Templates
) -> None:
    """Every address, by somebody who may: a policy without `unsafe-inline`, no guessing of types,
    nothing inline, no fault."""
    found = places(create_app(Settings(database_url="postgresql://nobody"), templates))
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
