"""A new batch, step by step, over the whole application."""

import os
import re
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from canut.channels.drafts import drafting
from canut.db.pool import connect_async
from canut.people import store
from canut.people.model import SignUp
from tests.web.conftest import CSRF, PASSWORD, Browser, Serving

GOOD = "sku,Product name,Photo,e-mail\nA1,Kelmoor kettle,https://shop.example/a.jpg,a@b.example\n"
GOOD += "A2,Brasquet lamp,https://shop.example/b.jpg,c@d.example\n"
FILLER = "".join(f"B{n},Lamp {n},https://shop.example/{n}.jpg,l@m.example\n" for n in range(30))
BAD = f"{GOOD}A3,,https://shop.example/c.jpg,e@f.example\n{FILLER}"
BAD += "A1,Another,https://shop.example/d.jpg,g@h.example\n"
REVISION = re.compile(r'name="revision" value="(\d+)"')


class Maker(Browser):
    """A client that makes a batch."""

    async def upload(
        self, text: bytes | str, name: str = "items.csv", **more: Any
    ) -> httpx.Response:
        data = text.encode() if isinstance(text, str) else text
        path = more.pop("path", "/batches/new")
        found = CSRF.search((await self.get(path)).text)
        assert found is not None
        return await self.http.post(
            path, data={"_csrf_token": found[1], **more}, files={"file": (name, data)}
        )

    async def step(self, path: str, act: str = "go", **fields: Any) -> httpx.Response:
        """Fill in the form of a step as it stands, and send it."""
        page = (await self.get(path)).text
        found = REVISION.search(page)
        assert found is not None, page[:500]
        given = {"revision": found[1], "act": act, **fields}
        return await self.submit(path, path, **given)


async def begun(browser: Any, text: str = GOOD) -> tuple[Maker, str]:
    """A member with a draft, and its address."""
    inside = Maker(browser().http)
    await inside.log_in("member@example.org")
    sent = await inside.upload(text)
    assert sent.status_code == 303, sent.text
    return inside, sent.headers["location"].removesuffix("/columns")


def rows(url: str, sql: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row) as conn:
        return conn.execute(sql).fetchall()


async def test_a_question_of_ones_own_is_launched(
    serving: Serving, people: dict[str, int], fresh_url: str, tmp_path: Path
) -> None:
    """From a file to a batch: columns are recognised, what is personal stays hidden, the question
    is shown as contributors see it, saved as a version of the client, and launched once, however
    often the button is pressed; nothing stays of the file."""
    async with serving(data=str(tmp_path)) as browser:
        inside, at = await begun(browser)
        page = (await inside.get(f"{at}/columns")).text
        assert re.search(r'value="personal" selected.*\n.*\n.*', page)
        assert re.search(r'<option value="image" selected>', page)
        sent = await inside.step(f"{at}/columns", key="0")
        assert sent.headers["location"] == f"{at}/question", sent.text
        await inside.step(f"{at}/question", "choose", pick="made")
        made = {"way": "made", "title": "Which shelf?", "type": "choice",
                "options": "Kitchen | pots\nLighting",
                "instructions": "## Look\n<script>x</script>"}  # fmt: skip
        kept = await inside.http.post(
            f"{at}/question",
            data={"_csrf_token": CSRF.search((await inside.get(f"{at}/question")).text)[1],  # type: ignore[index]
                  "revision": REVISION.search((await inside.get(f"{at}/question")).text)[1],  # type: ignore[index]
                  "act": "keep", **made},
            headers={"accept": "application/json"},
        )  # fmt: skip
        shown = kept.json()["preview"]
        assert "Kelmoor kettle" in shown
        assert "Lighting" in shown
        assert "a@b.example" not in shown
        assert "<h4>Look</h4>" in shown
        assert "<script>" not in shown
        sent = await inside.step(f"{at}/question", **made)
        assert sent.headers["location"] == f"{at}/target", sent.text
        assert "from 75%" in (await inside.get(f"{at}/target")).text
        await inside.step(f"{at}/target", error="10", deadline="2099-01-31")
        assert "Which shelf?" in (await inside.get(f"{at}/launch")).text
        sent = await inside.step(f"{at}/launch", "launch", name="Shelves")
        batch = sent.headers["location"]
        again = await inside.submit("/batches/new", f"{at}/launch", act="launch", name="Shelves")
        assert again.headers["location"] == batch
    made_of = rows(fresh_url, "select p.client_id, p.slug, v.number, v.definition as d, b.name,"
        " b.deadline_ms, b.n_items from batch b join process_version v"
        " on v.id = b.process_version_id join process p on p.id = v.process_id")  # fmt: skip
    assert len(made_of) == 1
    one = made_of[0]
    assert (one["client_id"], one["slug"], one["number"]) == (
        people["client"],
        "own/which-shelf",
        1,
    )
    assert (one["name"], one["n_items"]) == ("Shelves", 2)
    assert one["deadline_ms"] > 4e12
    assert one["d"]["steps"][0]["promise"]["error_max"] == 0.1
    items = rows(fresh_url, "select key, payload from item order by key")
    assert [item["key"] for item in items] == ["A1", "A2"]
    assert items[0]["payload"]["product_name"] == "Kelmoor kettle"
    told = [row["action"] for row in rows(fresh_url, "select action from audit_log order by id")]
    assert told[-3:] == ["create.draft", "publish.process", "submit.batch"]
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_a_draft_is_its_clients_alone_and_overwrites_nothing_unseen(
    serving: Serving, people: dict[str, int], fresh_url: str, tmp_path: Path
) -> None:
    """Others do not find it; a window that is behind is told, and what it sent is shown again; rows
    that are wrong are listed with their values, and nothing goes on before they are mended or left
    out; deleting it leaves nothing."""
    async with connect_async(fresh_url) as conn:
        other = await store.create_client(conn, store.COMMAND_LINE, "autre", "Autre")
        sign_up = SignUp("other@example.org", "Other", PASSWORD)
        account = await store.create_account(conn, store.COMMAND_LINE, sign_up)
        await store.add_member(conn, store.COMMAND_LINE, other, account)
    async with serving(data=str(tmp_path)) as browser:
        inside, at = await begun(browser, BAD)
        stranger = Maker(browser().http)
        await stranger.log_in("other@example.org")
        for path in ("", "/file", "/columns", "/question", "/target", "/launch", "/wrong.csv"):
            assert (await stranger.get(at + path)).status_code == 404, path
        for path in ("/columns", "/launch", "/delete", "/file"):
            sent = await stranger.submit("/batches/new", at + path, act="go", revision="1")
            assert sent.status_code == 404, path
        sent = await inside.step(f"{at}/columns", key="0")
        assert sent.status_code == 422
        listed = (await inside.get(f"{at}/wrong.csv")).content.decode("utf-8-sig").splitlines()
        assert len(listed) == 1 + 2
        assert [line.split(",")[:2] for line in listed[1:]] == [
            ["3", "Product name"],
            ["34", "sku"],
        ]
        sent = await inside.step(f"{at}/columns", key="0", skip="1")
        assert sent.status_code == 303
        behind = {"act": "go", "revision": "1", "error": "2", "deadline": "2099-05-04"}
        sent = await inside.submit(f"{at}/target", f"{at}/target", **behind)
        assert sent.status_code == 409
        assert "2099-05-04" in sent.text
        assert "target" not in rows(fresh_url, "select said from draft")[0]["said"]
        again = REVISION.search(sent.text)
        assert again is not None
        behind["revision"] = again[1]
        await inside.submit(f"{at}/target", f"{at}/target", **behind)
        assert rows(fresh_url, "select said from draft")[0]["said"]["target"]["error"] == ["2"]
        sent = await inside.step(f"{at}/launch", "launch", name="Too early")
        assert sent.status_code == 422
        await inside.submit(f"{at}/file", f"{at}/delete")
        assert (await inside.get(f"{at}/columns")).status_code == 404
    assert rows(fresh_url, "select from draft") == rows(fresh_url, "select from batch") == []
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_drafts_take_a_bounded_place_and_another_file_is_on_the_record(
    serving: Serving,
    people: dict[str, int],
    fresh_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client's drafts are so many, and their files so large, at most; one may get another file
    in its place, which the audit log says; what is refused, and what nobody has a draft of, leaves
    nothing on the disk."""
    uploads, large = tmp_path / "uploads", GOOD + 2 * FILLER
    monkeypatch.setattr(drafting, "UPLOADS_HELD", 1)
    async with serving(data=str(tmp_path), upload_bytes_max=5_000) as browser:
        inside, at = await begun(browser, large)
        left = uploads / "left.data"
        left.write_bytes(b"x")
        os.utime(left, (1, 1))
        sent = await inside.upload(large)
        assert sent.status_code == 422
        assert "Your drafts would hold more than 5,000 bytes" in sent.text
        sent = await inside.upload(large, "again.csv", path=f"{at}/file")
        assert sent.status_code == 303, sent.text
        monkeypatch.setattr(drafting, "DRAFTS_MAX", 1)
        sent = await inside.upload(GOOD)
        assert sent.status_code == 422
        assert "There are 1 drafts already" in sent.text
    [kept] = rows(fresh_url, "select file, file_name from draft")
    assert kept["file_name"] == "again.csv"
    assert [path.name for path in uploads.iterdir()] == [f"{kept['file']}.data"]
    told = rows(fresh_url, "select action, detail from audit_log order by id")[-2:]
    assert [one["action"] for one in told] == ["create.draft", "replace.draft"]
    assert told[1]["detail"] == {"file": "again.csv", "instead_of": "items.csv"}
