"""Pictures that clients keep with us: only whom a page showed them to sees them, and nothing that
could run is ever kept."""

import re
from pathlib import Path

import httpx
import pytest

from canut.channels.pictures import Pictures, kind_of
from canut.db.pool import connect, connect_async
from canut.errors import Invalid, NotFound
from canut.people import store
from canut.processes.library import load_shipped
from canut.processes.store import publish
from canut.web.picture_links import HOUR_MS, HOURS, PictureLinks
from canut.work.intake import add_items, one_block, open_batch
from tests.web.conftest import CSRF, Browser, Serving

NOW = 1_790_000_000_000
PNG = b"\x89PNG\r\n\x1a\n" + b"of the test"
LINK = re.compile(r'src="(/private-pictures/[^"]+)"')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b" \x89PNG\r\n\x1a\n",
        b"RIFF....WAVE",
        b"%PDF-1.7",
    ],
)
def test_what_is_no_picture_is_not_kept(tmp_path: Path, data: bytes) -> None:
    """Only five kinds, known by their bytes, of which none can hold a script."""
    with pytest.raises(Invalid):
        Pictures(tmp_path).keep(1, data)
    assert list(tmp_path.rglob("*")) == []


def test_what_begins_as_a_picture_is_one_whatever_follows() -> None:
    """A page hidden in a picture stays a picture: it is only ever served as one."""
    assert kind_of(b"GIF89a<script>alert(1)</script>") == "gif"
    assert kind_of(b"RIFF\0\0\0\0WEBP") == "webp"
    assert kind_of(b"\0\0\0\x20ftypavif") == "avif"
    assert kind_of(b"\xff\xd8\xff\xe0") == "jpg"


def test_a_picture_is_of_its_client_alone(tmp_path: Path) -> None:
    """The name of another client's picture finds nothing, nor does a path made of dots."""
    kept = Pictures(tmp_path)
    first = kept.keep(1, PNG)
    assert first.new
    assert not kept.keep(1, PNG).new
    assert kept.read(1, first.name) == (PNG, "image/png")
    for client_id, name in ((2, first.name), (1, "../1/" + first.name), (1, "a.png"), (1, "")):
        with pytest.raises(NotFound):
            kept.read(client_id, name)


def test_a_link_is_for_one_account_and_some_hours() -> None:
    """Another account, a later hour, one changed character or another server's key: nothing."""
    links, other = PictureLinks(bytes(32)), PictureLinks(b"1" * 32)
    token = links.address(1, "a.png", 7, NOW).rpartition("/")[2]
    assert links.open(token, 7, NOW).name == "a.png"
    assert links.open(token, 7, NOW + (HOURS - 1) * HOUR_MS).client_id == 1
    refused = [(token, 8, NOW), (token, None, NOW), (token, 7, NOW + HOURS * HOUR_MS)]
    refused += [(token[:9] + ("A" if token[9] != "A" else "B") + token[10:], 7, NOW)]
    refused += [(text, 7, NOW) for text in ("", "é", "a" * 5000, "a" * 21)]
    for text, account_id, now in refused:
        with pytest.raises(NotFound):
            links.open(text, account_id, now)
    with pytest.raises(NotFound):
        other.open(token, 7, NOW)


async def test_a_picture_reaches_whom_it_was_shown_to(
    serving: Serving, people: dict[str, int], fresh_url: str, tmp_path: Path
) -> None:
    """Sent by a client's key, named in an item, seen by the contributor who has the task; not by
    somebody else with the link, nor by nobody, nor under the name in another client's item."""
    async with connect_async(fresh_url) as conn:
        other = await store.create_client(conn, store.COMMAND_LINE, "velours", "Velours")
        key = await store.create_api_key(
            conn,
            store.COMMAND_LINE,
            name="k",
            scopes=["batches:write"],
            client_id=people["client"],
        )
    async with serving(data=str(tmp_path)) as browser:
        headers = {"authorization": f"Bearer {key.secret}"}
        svg = await browser().http.post("/api/v1/pictures", content=b"<svg/>", headers=headers)
        assert svg.status_code == 422
        sent = await browser().http.post("/api/v1/pictures", content=PNG, headers=headers)
        assert sent.status_code == 200
        item = {"image": sent.json()["value"], "title": "A kettle"}
        ours, theirs = (_batch(fresh_url, one, item) for one in (people["client"], other))
        worker, member, stranger = browser(), browser(), browser()
        await worker.log_in("worker@example.org")
        await member.log_in("member@example.org")
        link = await _shown(worker, ours)
        seen = await worker.get(link)
        assert (seen.status_code, seen.content) == (200, PNG)
        assert seen.headers["content-type"] == "image/png"
        assert seen.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in seen.headers["content-security-policy"]
        assert seen.headers["cache-control"].startswith("private")
        assert (await member.get(link)).status_code == 404
        assert (await stranger.get(link)).status_code in (303, 401)
        assert (await worker.get(await _shown(worker, theirs))).status_code == 404


async def test_pictures_become_a_batch_on_the_pages(
    serving: Serving, people: dict[str, int], fresh_url: str, tmp_path: Path
) -> None:
    """Handed in as files, seen at the columns and in the preview by links of that account alone,
    what is no picture named; once launched, contributors see them, and the draft's are gone."""
    with connect(fresh_url) as conn:
        version = publish(conn, None, load_shipped("images/tag").definition, NOW)
    named = [("a.png", PNG), ("b.png", PNG + b"2"), ("b.txt", b"a\n1\n")]
    files = [("file", one) for one in named]
    async with serving(data=str(tmp_path)) as browser:
        member, worker = browser(), browser()
        await member.log_in("member@example.org")
        await worker.log_in("worker@example.org")
        token = CSRF.search((await member.get("/batches/new")).text)
        assert token is not None
        sent = await member.http.post(
            "/batches/new", data={"_csrf_token": token[1], "version": version.id}, files=files
        )
        assert sent.status_code == 422
        assert "No row names any" in sent.text
        sent = await member.http.post(
            "/batches/new",
            data={"_csrf_token": token[1], "version": version.id},
            files=[*files[:2], ("file", ("letter.doc", b"x"))],
        )
        assert sent.status_code == 303, sent.text
        at = sent.headers["location"].removesuffix("/columns")
        page = (await member.get(f"{at}/columns")).text
        assert "letter.doc" in page
        [link, *others] = LINK.findall(page)
        assert others
        assert (await member.get(link)).content in (PNG, PNG + b"2")
        assert (await worker.get(link)).status_code == 404
        for step in ("columns", "question", "target"):
            await _go(member, f"{at}/{step}")
        assert LINK.search((await member.get(f"{at}/question")).text)
        launched = await _go(member, f"{at}/launch", "launch", name="Photos")
        batch = int(launched.headers["location"].rpartition("/")[2])
        assert (await worker.get(await _shown(worker, batch))).content in (PNG, PNG + b"2")
        assert (await member.get(link)).status_code == 404
    assert list((tmp_path / "uploads").iterdir()) == []


async def _go(who: Browser, path: str, act: str = "go", **fields: str) -> httpx.Response:
    page = (await who.get(path)).text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    way = re.search(r'name="(way)" value="(\w+)"', page)
    version = re.search(r'name="(version)" value="(\d+)"', page)
    assert revision is not None, page
    given = {one[1]: one[2] for one in (way, version) if one} | {"revision": revision[1]}
    return await who.submit(path, path, act=act, **given, **fields)


def _batch(url: str, client_id: int, item: dict[str, str]) -> int:
    with connect(url) as conn:
        version = publish(conn, None, load_shipped("images/tag").definition, NOW)
        batch = open_batch(conn, client_id, "k", version.id, NOW)
        add_items(conn, batch, one_block([item]))
    return batch.id


async def _shown(worker: Browser, batch_id: int) -> str:
    claimed = await worker.submit(f"/work/{batch_id}", f"/work/{batch_id}/claim")
    page = (
        claimed.text if claimed.status_code == 200 else (await worker.get(f"/work/{batch_id}")).text
    )
    found = LINK.search(page)
    assert found is not None, page
    return found[1]
