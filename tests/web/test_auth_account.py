"""Setting up, joining, changing one's account: through the pages, as a browser does."""

from canut.db.pool import connect_async
from canut.people import store
from canut.people.model import Grant

from .conftest import PASSWORD, Serving

EVE = {"name": "Eve", "email": "eve@example.org", "password": PASSWORD, "locale": "fr"}


async def test_first_run(serving: Serving, fresh_url: str) -> None:
    """The link of the first start makes the operator and logs in; afterwards it is dead."""
    async with connect_async(fresh_url) as conn:
        token = await store.create_first_run_token(conn)
    async with serving() as browser:
        one, two = browser(), browser()
        page = await one.get(f"/setup/{token}")
        assert "create the operator" in page.text
        assert (await one.get(f"/invite/{token}")).status_code == 410
        weak = await one.submit(f"/setup/{token}", f"/setup/{token}", **{**EVE, "password": "x"})
        assert weak.status_code == 422
        assert "The password is too short." in weak.text
        assert 'value="eve@example.org"' in weak.text
        made = await one.submit(f"/setup/{token}", f"/setup/{token}", **EVE)
        assert made.status_code == 303
        assert "eve@example.org" in (await one.get("/account")).text
        again = await two.get(f"/setup/{token}")
        assert again.status_code == 410
        assert "Ask for a new one" in again.text
        assert (await two.get("/setup/nothing")).status_code == 410


async def test_the_account_speaks_its_language(serving: Serving, people: dict[str, int]) -> None:
    """The account's language follows the person; a link in the footer changes it for a browser."""
    async with serving() as browser:
        one = browser()
        await one.log_in("worker@example.org")
        changed = await one.submit("/account", "/account", name="Wilma", locale="fr")
        assert changed.status_code == 303
        page = await one.get("/account")
        assert '<html lang="fr"' in page.text
        assert "Votre compte" in page.text
        assert "Wilma" in page.text
        assert '<html lang="en"' in (await one.get("/account?lang=en")).text
        assert '<html lang="en"' in (await one.get("/account")).text
        two = browser()
        await two.log_in("worker@example.org")
        assert '<html lang="fr"' in (await two.get("/account")).text
        bad = await two.submit("/account", "/account", name=" ", locale="tlh")
        assert bad.status_code == 422
        assert "Le nom manque." in bad.text


async def test_changing_the_password(serving: Serving, people: dict[str, int]) -> None:
    """It needs the old one, keeps this browser logged in and throws every other out at once."""
    async with serving() as browser:
        one, two = browser(), browser()
        await one.log_in("worker@example.org")
        await two.log_in("worker@example.org")
        assert (await two.get("/account")).status_code == 200
        fields = {"old": "wrong wrong wrong", "new": "eight golden shuttles"}
        bad = await one.submit("/account", "/account/password", **fields)
        assert bad.status_code == 422
        assert "This is not your password." in bad.text
        fields["old"] = PASSWORD
        good = await one.submit("/account", "/account/password", **fields)
        assert good.status_code == 303
        assert (await one.get("/account")).status_code == 200
        assert (await two.get("/account")).status_code == 303
        assert (await two.log_in("worker@example.org")).status_code == 401
        assert (await two.log_in("worker@example.org", fields["new"])).status_code == 303


async def test_joining_as_a_contributor(serving: Serving, people: dict[str, int]) -> None:
    """Anybody signs up to contribute; an account that exists contributes with one click."""
    async with serving() as browser:
        one = browser()
        joined = await one.submit("/join", "/join", **EVE)
        assert joined.status_code == 303
        assert "A new key for your work" in (await one.get("/account?lang=en")).text
        taken = await browser().submit("/join", "/join", **EVE)
        assert taken.status_code == 409
        assert 'role="alert"' in taken.text
        member = browser()
        await member.log_in("member@example.org")
        assert "Contribute as Member" in (await member.get("/join")).text
        assert (await member.submit("/join", "/join")).status_code == 303
        assert "A new key for your work" in (await member.get("/account")).text
        assert "You are a contributor already." in (await member.get("/join")).text


async def test_invitations(serving: Serving, people: dict[str, int], fresh_url: str) -> None:
    """A link lets a new person join a client, and an old one with a click; a password link
    lets its holder in again."""
    grant = Grant(client_id=people["client"])
    async with connect_async(fresh_url) as conn:
        by = store.COMMAND_LINE
        new = await store.create_invitation(conn, by, grant, email=EVE["email"])
        old = await store.create_invitation(conn, by, grant)
        reset = await store.create_password_link(conn, by, people["worker"])
    async with serving() as browser:
        one, two, three = browser(), browser(), browser()
        assert "readonly" in (await one.get(f"/invite/{new}")).text
        other = {**EVE, "email": "other@example.org"}
        wrong = await one.submit(f"/invite/{new}", f"/invite/{new}", **other)
        assert wrong.status_code == 422
        assert "This link is for another address." in wrong.text
        assert (await one.submit(f"/invite/{new}", f"/invite/{new}", **EVE)).status_code == 303
        assert "La Soierie" in (await one.get("/account")).text
        await two.log_in("worker@example.org")
        assert "La Soierie" not in (await two.get("/account")).text
        assert "Accept as Worker" in (await two.get(f"/invite/{old}")).text
        assert (await two.submit(f"/invite/{old}", f"/invite/{old}")).status_code == 303
        assert "La Soierie" in (await two.get("/account")).text
        fields = {"password": "eight golden shuttles"}
        assert "Set a new password" in (await three.get(f"/invite/{reset}")).text
        done = await three.submit(f"/invite/{reset}", f"/invite/{reset}", **fields)
        assert done.status_code == 303
        assert "worker@example.org" in (await three.get("/account")).text
        assert (await two.get("/account")).status_code == 303


async def test_keys_belong_to_whom_they_act_for(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A member makes keys for their client only, sees those and revokes those."""
    async with connect_async(fresh_url) as conn:
        by = store.COMMAND_LINE
        other = await store.create_client(conn, by, "teinture", "Teinture")
        theirs = await store.create_api_key(
            conn, by, name="their export", scopes=["batches:read"], client_id=other
        )
    async with serving() as browser:
        one = browser()
        await one.log_in("member@example.org")
        fields = {"name": "mine", "scopes": ["batches:read", "batches:write"]}
        for owner, status in [
            (f"client:{other}", 404),
            ("account", 404),
            ("contributor", 422),
            ("", 422),
        ]:
            reply = await one.submit("/account", "/account/keys", owner=owner, **fields)
            assert reply.status_code == status, owner
        mine = f"client:{people['client']}"
        good = await one.submit("/account", "/account/keys", owner=mine, **fields)
        assert "Copy it now" in good.text
        none = await one.submit("/account", "/account/keys", owner=mine, name="nothing")
        assert "Choose what the key may do." in none.text
        page = (await one.get("/account")).text
        assert "mine" in page
        assert "their export" not in page
        refused = await one.submit("/account", f"/account/keys/{theirs.id}/revoke")
        assert refused.status_code == 404


async def test_programs_do_not_change_accounts(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A key that leaked cannot take the account over."""
    async with connect_async(fresh_url) as conn:
        made = await store.create_api_key(
            conn,
            store.COMMAND_LINE,
            name="k",
            scopes=["operate"],
            account_id=people["operator"],
        )
    async with serving() as browser:
        http = browser().http
        headers = {"authorization": f"Bearer {made.secret}"}
        for path in ("/account", "/account/password", "/account/keys"):
            assert (await http.post(path, data={}, headers=headers)).status_code == 401, path
