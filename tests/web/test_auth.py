"""The gate in front of every route: who passes, who does not, and what a stranger can try."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Response, get, post

from canut.config import Settings
from canut.db.pool import connect_async
from canut.errors import Invalid, Problem
from canut.people import store
from canut.web import api
from canut.web.auth import (
    OPEN,
    OPEN_TO_PROGRAMS,
    WebRequest,
    house,
    principal,
    requires,
    visitor,
)
from canut.web.pages.render import own_path

from .conftest import CSRF, PASSWORD, Browser, Serving


@get("/api/v1/probe/work", opt=requires("work"), include_in_schema=False)
async def probe_work(request: WebRequest) -> dict[str, Any]:
    return {"contributor": principal(request).contributor_id}


@post("/api/v1/probe/batches", opt=requires("batches:write"), include_in_schema=False)
async def probe_batches(request: WebRequest) -> dict[str, Any]:
    return {"client": principal(request).client()}


@get("/probe/role", opt=requires("operator", "client"), include_in_schema=False)
async def probe_role(request: WebRequest) -> dict[str, Any]:
    return {"name": principal(request).name}


@get("/probe/forgotten", include_in_schema=False)
async def probe_forgotten(request: WebRequest) -> str:
    return "secret"


@get("/probe/open", opt=OPEN, include_in_schema=False)
async def probe_open(request: WebRequest) -> dict[str, Any]:
    who = visitor(request)
    return {"name": who.name if who else None}


@post("/probe/hook", opt=OPEN_TO_PROGRAMS, include_in_schema=False)
async def probe_hook(request: WebRequest) -> Response[None]:
    return Response(None, status_code=204)


@post("/api/v1/probe/wrong", opt=OPEN_TO_PROGRAMS, include_in_schema=False)
async def probe_wrong(request: WebRequest) -> None:
    raise Invalid("The password was not changed.", problems=[Problem("The name is missing.")])


@get("/api/v1/probe/bug", opt=OPEN, include_in_schema=False)
async def probe_bug(request: WebRequest) -> None:
    raise RuntimeError("the secret of the house")


@get("/api/v1/probe/database", opt=OPEN, include_in_schema=False)
async def probe_database(request: WebRequest) -> None:
    async with house(request).connection() as conn:
        await conn.execute("select pg_terminate_backend(pg_backend_pid())")


PROBES = [probe_work, probe_batches, probe_role, probe_forgotten, probe_open, probe_hook]
PROBES += [probe_wrong, probe_bug, probe_database]
REAL = api.routes


def with_probes(settings: Settings) -> list[Any]:
    return [*REAL(settings), *PROBES]


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Routes that show what the gate lets through, beside the real ones."""
    monkeypatch.setattr(api, "routes", with_probes)


async def key_for(url: str, **owner: Any) -> str:
    async with connect_async(url) as conn:
        made = await store.create_api_key(conn, store.COMMAND_LINE, name="test", **owner)
    return made.secret


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def test_log_in_and_out(serving: Serving, people: dict[str, int]) -> None:
    """A right password opens the account page until one logs out; a wrong one does not."""
    async with serving() as browser:
        one = browser()
        wrong = await one.log_in("worker@example.org", "not the password")
        assert wrong.status_code == 401
        assert 'role="alert"' in wrong.text
        assert (await one.get("/account")).headers["location"] == "/login?next=%2Faccount"
        right = await one.log_in(" Worker@Example.org ")
        assert right.status_code == 303
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        page = await one.get("/account")
        assert page.status_code == 200
        assert "worker@example.org" in page.text
        assert page.headers["cache-control"] == "no-store"
        token = one.http.cookies["canut-session"]
        assert (await one.submit("/account", "/logout")).status_code == 303
        assert (await one.get("/account")).status_code == 303
        # the token itself is dead, not only the cookie gone
        one.http.cookies.set("canut-session", token, domain="canut.test")
        assert (await one.get("/account")).status_code == 303


async def test_over_https_cookies_are_bound_to_the_host(
    serving: Serving, people: dict[str, int]
) -> None:
    """Secure and __Host- when the public address is https, and browsers are told to keep to it."""
    async with serving(public_url="https://canut.test") as browser:
        one = browser()
        one.http.base_url = httpx.URL("https://canut.test")
        reply = await one.log_in("worker@example.org")
        assert reply.status_code == 303
        cookie = reply.headers["set-cookie"]
        assert cookie.startswith("__Host-canut-session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert "max-age" in reply.headers["strict-transport-security"]


async def test_keys_open_what_their_scopes_say(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A work key works, a batch key writes batches, neither does the other's; no key, no entry."""
    work = await key_for(fresh_url, scopes=["work"], contributor_id=people["contributor"])
    write = await key_for(fresh_url, scopes=["batches:write"], client_id=people["client"])
    async with serving() as browser:
        http = browser().http
        right = await http.get("/api/v1/probe/work", headers=bearer(work))
        assert right.json() == {"contributor": people["contributor"]}
        right = await http.post("/api/v1/probe/batches", headers=bearer(write))
        assert right.json() == {"client": people["client"]}
        assert (await http.post("/api/v1/probe/batches", headers=bearer(work))).status_code == 403
        assert (await http.get("/api/v1/probe/work", headers=bearer(write))).status_code == 403
        for headers in ({}, bearer("ck_unknown"), bearer(""), {"authorization": "Basic eDp5"}):
            reply = await http.get("/api/v1/probe/work", headers=headers)
            assert reply.status_code == 401
            assert reply.headers["www-authenticate"] == "Bearer"


async def test_roles_are_for_people(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A page that asks for a role refuses the key of somebody who has it."""
    key = await key_for(fresh_url, scopes=["batches:read"], client_id=people["client"])
    async with serving() as browser:
        http = browser().http
        assert (await http.get("/probe/role", headers=bearer(key))).status_code == 403
        member, worker = browser(), browser()
        await member.log_in("member@example.org")
        await worker.log_in("worker@example.org")
        assert (await member.get("/probe/role")).json() == {"name": "Member"}
        assert (await worker.get("/probe/role")).status_code == 403


async def test_a_route_that_says_nothing_is_closed(
    serving: Serving, people: dict[str, int]
) -> None:
    """A forgotten `opt` never opens a door."""
    async with serving() as browser:
        one = browser()
        assert (await one.get("/probe/forgotten")).status_code == 303
        assert (await one.get("/probe/open")).json() == {"name": None}
        await one.log_in("worker@example.org")
        assert (await one.get("/probe/forgotten")).text == "secret"
        assert (await one.get("/probe/open")).json() == {"name": "Worker"}


async def test_a_key_is_no_cookie_and_a_cookie_no_key(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Each is looked up as what it was sent as, also from memory."""
    key = await key_for(fresh_url, scopes=["work"], contributor_id=people["contributor"])
    async with serving() as browser:
        one, two = browser(), browser()
        await one.log_in("worker@example.org")
        token = one.http.cookies["canut-session"]
        assert (await one.get("/account")).status_code == 200
        as_key = await two.get("/api/v1/probe/work", headers=bearer(token))
        assert as_key.status_code == 401
        assert (await two.get("/api/v1/probe/work", headers=bearer(key))).status_code == 200
        two.http.cookies.set("canut-session", key, domain="canut.test")
        assert (await two.get("/api/v1/probe/work")).status_code == 401


async def test_revocation_is_felt(serving: Serving, people: dict[str, int], fresh_url: str) -> None:
    """A key revoked on the account page stops at once, though it was remembered."""
    async with serving() as browser:
        one = browser()
        await one.log_in("worker@example.org")
        fields = {"owner": "contributor", "name": "script", "scopes": "work"}
        made = await one.submit("/account", "/account/keys", **fields)
        key = made.text.partition('class="secret">')[2].partition("<")[0]
        assert key.startswith("ck_")
        assert key not in (await one.get("/account")).text
        other = browser().http
        assert (await other.get("/api/v1/probe/work", headers=bearer(key))).status_code == 200
        async with connect_async(fresh_url) as conn:
            [listed] = await store.list_api_keys(conn, store.COMMAND_LINE)
        gone = await one.submit("/account", f"/account/keys/{listed.id}/revoke")
        assert gone.status_code == 303
        assert (await other.get("/api/v1/probe/work", headers=bearer(key))).status_code == 401


async def test_other_sites_cannot_post(serving: Serving, people: dict[str, int]) -> None:
    """Even with the right token (stolen some way), a form of another site is refused."""
    async with serving() as browser:
        one = browser()
        await one.log_in("worker@example.org")
        for name, value in (
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ):
            one.http.headers[name] = value
            reply = await one.submit("/account", "/account", name="Eve", locale="fr")
            assert reply.status_code == 403, (name, value)
            assert "Worker" in (await one.get("/account")).text
            del one.http.headers[name]


async def test_forms_need_the_token_of_their_own_session(
    serving: Serving, people: dict[str, int]
) -> None:
    """No token, a made-up one and another session's are refused; the header does as the field.
    No two pages hold the same one: what is packed with it could otherwise be used to guess it."""
    async with serving() as browser:
        one, two = browser(), browser()
        await one.log_in("worker@example.org")
        await two.log_in("member@example.org")
        theirs, mine, again = [
            found[1]
            for browser in (two, one, one)
            if (found := CSRF.search((await browser.get("/account")).text)) is not None
        ]
        assert mine != again
        form = {"name": "Renamed", "locale": "en"}
        for token in ("", "x" * 43, "x" * 86, mine[:43], theirs, "é"):
            reply = await one.http.post("/account", data={**form, "_csrf_token": token})
            assert reply.status_code == 403
        assert (await one.http.post("/account", json=form)).status_code == 403
        good = await one.http.post("/account", data=form, headers={"x-csrf-token": mine})
        assert good.status_code == 303
        assert "Renamed" in (await one.get("/account")).text


async def test_log_in_forms_are_bound_to_the_browser(
    serving: Serving, people: dict[str, int]
) -> None:
    """Another site cannot log a visitor in to the attacker's account."""
    async with serving() as browser:
        form = {"email": "worker@example.org", "password": PASSWORD}
        assert (await browser().http.post("/login", data=form)).status_code == 403
        one = browser()
        await one.get("/login")
        assert (await one.http.post("/login", data=form)).status_code == 403
        assert (await one.http.post("/probe/hook")).status_code == 204


async def test_log_in_is_limited(serving: Serving, people: dict[str, int]) -> None:
    """Ten attempts a minute per account, from however many addresses; then even the right
    password waits."""
    async with serving() as browser:
        for number in range(10):
            one = browser()
            one.http.headers["x-forwarded-for"] = f"203.0.113.{number}"
            assert (await one.log_in("worker@example.org", "wrong")).status_code == 401
        last = browser()
        last.http.headers["x-forwarded-for"] = "203.0.113.99"
        reply = await last.log_in("worker@example.org")
        assert reply.status_code == 429
        assert int(reply.headers["retry-after"]) >= 1
        assert (await last.log_in("member@example.org")).status_code == 303


async def test_requests_are_limited(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A principal has a rate of its own; another one is not held up."""
    key = await key_for(fresh_url, scopes=["work"], contributor_id=people["contributor"])
    other = await key_for(fresh_url, scopes=["work"], contributor_id=people["contributor"])
    async with serving(rate_per_s=0.5, rate_burst=3) as browser:
        http = browser().http
        for _ in range(3):
            assert (await http.get("/api/v1/probe/work", headers=bearer(key))).status_code == 200
        reply = await http.get("/api/v1/probe/work", headers=bearer(key))
        assert reply.status_code == 429
        assert 1 <= int(reply.headers["retry-after"]) <= 3
        assert reply.json()["code"] == "too_many"
        assert (await http.get("/api/v1/probe/work", headers=bearer(other))).status_code == 200


async def test_guessing_keys_is_limited(serving: Serving) -> None:
    """Made-up keys cost the database little: thirty looks, then the address waits."""
    async with serving() as browser:
        http = browser().http
        codes = []
        for number in range(40):
            reply = await http.get("/api/v1/probe/work", headers=bearer(f"ck_{number}"))
            codes.append(reply.status_code)
        assert codes[:30] == [401] * 30
        assert 429 in codes[30:]


async def test_errors_for_programs(serving: Serving) -> None:
    """Problem details, in the language asked for, that give nothing away."""
    async with serving() as browser:
        http = browser().http
        reply = await http.post("/api/v1/probe/wrong", headers={"accept-language": "fr"})
        assert reply.status_code == 422
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json() == {
            "type": "urn:canut:problem:invalid",
            "title": "Quelque chose est à corriger",
            "status": 422,
            "detail": "Le mot de passe n’a pas été changé.",
            "instance": "/api/v1/probe/wrong",
            "code": "invalid",
            "problems": [{"message": "Le nom manque."}],
        }
        bug = await http.get("/api/v1/probe/bug")
        assert bug.status_code == 500
        assert "secret of the house" not in bug.text
        assert "quote the number" in bug.json()["mend"]
        gone = await http.get("/api/v1/probe/database")
        assert gone.status_code == 503
        assert gone.headers["retry-after"] == "5"
        assert (await http.get("/api/v1/nothing")).json()["code"] == "not_found"
        assert (await http.delete("/api/v1/probe/bug")).json()["code"] == "method_not_allowed"


async def test_errors_for_people(serving: Serving, people: dict[str, int]) -> None:
    """A page in the visitor's language, that knows who is logged in."""
    async with serving() as browser:
        one = browser()
        await one.log_in("worker@example.org")
        await one.get("/account")
        page = await one.get("/nothing/here", headers={"accept-language": "fr"})
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert "There is nothing at this address." in page.text
        assert "/logout" in page.text
        french = await one.get("/nothing/here?lang=fr")
        assert "Il n’y a rien à cette adresse." in french.text


async def test_headers_are_on_every_response(serving: Serving) -> None:
    """Pages, files, errors and the API: nothing is sniffed, framed or run inline."""
    async with serving() as browser:
        http = browser().http
        page = await http.get("/login")
        icon = page.text.partition('rel="icon" href="')[2].partition('"')[0]
        for path in ("/login", icon, "/nothing", "/api/v1/nothing", "/alive"):
            reply = await http.get(path)
            assert reply.headers["x-content-type-options"] == "nosniff", path
            assert reply.headers["referrer-policy"] == "same-origin", path
            policy = reply.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
        file = await http.get(icon)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert "style=" not in page.text
        assert "<script>" not in page.text


@given(st.text(max_size=60))
def test_after_log_in_one_stays_here(path: str) -> None:
    """`next` never leads to another site, whatever it holds."""
    onward = own_path(path)
    assert onward.startswith("/")
    assert httpx.URL("http://canut.test").join(onward).host == "canut.test"


async def test_log_in_leads_to_our_pages_only(serving: Serving, people: dict[str, int]) -> None:
    """A link to the log-in page cannot send a person elsewhere."""
    async with serving() as browser:
        for path in ("//evil.example", "/\\evil.example", "https://evil.example"):
            one: Browser = browser()
            form = {"email": "worker@example.org", "password": PASSWORD, "next": path}
            reply = await one.submit("/login", "/login", **form)
            assert reply.headers["location"] == "/", path
