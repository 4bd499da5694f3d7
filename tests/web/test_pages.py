"""Who sees which page, what a page never shows, and the words it is made of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.processes.model import ItemField
from canut.questions.registry import load_question
from canut.web.kept import OptionList, Recent
from canut.web.pages.guide import to_html
from canut.web.pages.items import picture_address, shown_fields
from canut.web.pages.screen import named_questions
from tests.web.conftest import Serving

ROUTES = {
    "/work": "worker",
    "/batches": "member",
    "/batches/new": "member",
    "/processes": "member",
    "/webhooks": "member",
    "/gold": "member",
    "/exams": "worker",
    "/pay": "worker",
    "/operator/exams": "operator",
    "/operator": "operator",
    "/operator/contributors": "operator",
    "/operator/audit": "operator",
}


async def test_every_page_has_its_people(serving: Serving, people: dict[str, int]) -> None:
    """A stranger is sent to log in and back; the right role gets in; a wrong one is refused."""
    async with serving() as browser:
        inside = {who: browser() for who in ("worker", "member", "operator")}
        for who, one in inside.items():
            await one.log_in(f"{who}@example.org")
        for path, owner in ROUTES.items():
            stranger = await browser().get(path)
            assert stranger.status_code == 303, path
            assert stranger.headers["location"].startswith("/login?next="), path
            wrong = inside["worker" if owner != "worker" else "member"]
            assert (await inside[owner].get(path)).status_code == 200, path
            assert (await wrong.get(path)).status_code == 403, path


async def test_a_batch_of_others_does_not_exist(serving: Serving, people: dict[str, int]) -> None:
    """To see, stream, download, steer or contest what is not one's own is as if it were not
    there."""
    async with serving() as browser:
        inside = browser()
        await inside.log_in("member@example.org")
        paths = ["/batches/1", "/batches/1/events", "/batches/1/results/csv"]
        paths += ["/batches/1/certificates", "/batches/1/disputes", "/batches/1/items?key=1"]
        paths += ["/batches/1/remarks", "/batches/1/items", "/batches/1/add"]
        paths += ["/certificates/1/pdf", "/certificates/1/json.gz", "/certificates/1/exe"]
        for path in paths:
            assert (await inside.get(path)).status_code == 404, path
        form = {"key": "1", "step": "category", "reason": "No."}
        sent = await inside.submit("/batches", "/batches/1/disputes", **form)
        assert sent.status_code == 404
        sent = await inside.submit("/batches", "/batches/1/state", state="paused")
        assert sent.status_code == 404


async def test_a_form_without_its_token_is_refused(
    serving: Serving, people: dict[str, int]
) -> None:
    """Another site cannot make a browser answer a task."""
    async with serving() as browser:
        inside = browser()
        await inside.log_in("worker@example.org")
        sent = await inside.http.post("/work/1/answer", data={"task": "1.1", "answer": "x"})
        assert sent.status_code == 403


async def test_pictures_cannot_run(serving: Serving, people: dict[str, int]) -> None:
    """An SVG opened by itself is locked in; a name that climbs out of the folder finds nothing."""
    async with serving() as browser:
        inside = browser()
        await inside.log_in("worker@example.org")
        found = await inside.get("/pictures/images/tag/mug-plain.svg")
        assert found.headers["content-type"].startswith("image/svg+xml")
        assert "sandbox" in found.headers["content-security-policy"]
        assert found.headers["x-content-type-options"] == "nosniff"
        for path in ("/pictures/images/tag/..%2fprocess.toml", "/pictures/images/tag/gold.jsonl"):
            assert (await inside.get(path)).status_code == 404


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "http://shop.example/a.png",
        "//shop.example/a.png",
        "https:///a.png",
        "file:///etc/passwd",
        "https://[broken",
    ],
)
def test_only_https_pictures_are_fetched(value: str) -> None:
    """Anything else is shown as the text it is, never put into an attribute a browser follows."""
    assert picture_address(value, "images/tag") == ""
    field = ItemField("photo", "Photo", type="image")
    [shown] = shown_fields((field,), {"photo": value}, "images/tag", "en")
    assert (shown.kind, shown.src) == ("text", "")


def test_a_picture_of_the_process_stays_in_its_folder() -> None:
    """The name of an asset is one part of a path, whatever it holds."""
    assert picture_address("asset:mug.svg", "images/tag") == "/pictures/images/tag/mug.svg"
    climbing = picture_address("asset:../../x", "images/tag")
    assert climbing == "/pictures/images/tag/..%2F..%2Fx"


def test_links_are_only_http() -> None:
    """A link of an item leads to the web or is plain text."""
    field = ItemField("page", "Page", type="url")
    kinds = {
        value: shown_fields((field,), {"page": value}, "x", "en")[0].kind
        for value in ("https://shop.example/1", "javascript:alert(1)", "mailto:a@b.example")
    }
    assert list(kinds.values()) == ["link", "text", "text"]


@given(st.text(max_size=200))
def test_instructions_never_run(text: str) -> None:
    """Whatever somebody writes as instructions, no script, handler, style or picture comes out."""
    html = to_html(f"{text}\n\n<script>x</script> <img src=x onerror=y> [a](javascript:x) {text}")
    for evil in ("<script", "<img", 'href="javascript', "<style", "<iframe"):
        assert evil not in html.lower()


def test_instructions_keep_their_shape() -> None:
    """Headings go below those of the page, tables scroll, links leak nothing."""
    html = to_html("# One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[x](https://a.example)")
    assert "<h3>One</h3>" in html
    assert '<div class="table-wrap" tabindex="0"><table>' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_options_are_sent_with_their_paths_once() -> None:
    """A list for the combobox: same options, same tag; each path is there a single time."""
    question: Any = load_question(
        {
            "type": "choice",
            "title": "Which?",
            "options": [
                {"value": "home", "label": "Home"},
                {"value": "a", "label": "Écharpes", "parent": "home", "synonyms": ["scarf"]},
                {"value": "b", "label": "Beds", "parent": "home"},
            ],
        }
    )
    listed = OptionList(question, "en")
    assert listed.body.count(b"Home") == 1
    assert listed.etag == OptionList(question, "en").etag


def test_questions_are_found_by_the_names_of_their_fields() -> None:
    """A record's parts are reached as the form names them."""
    question = load_question(
        {
            "type": "record",
            "title": "All",
            "fields": [{"name": "brand", "type": "text", "title": "Brand"}],
        }
    )
    assert [name for name, _ in named_questions(question)] == ["answer", "answer.brand"]


def test_memory_is_bounded() -> None:
    """What was used longest ago goes first."""
    kept: Recent[int, str] = Recent(2)
    kept.keep(1, "a")
    kept.keep(2, "b")
    kept.get(1)
    kept.keep(3, "c")
    assert (len(kept), kept.get(2), kept.get(1)) == (2, None, "a")
