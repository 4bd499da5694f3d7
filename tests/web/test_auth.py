"""Logging in, and the gate in front of every route."""

from .conftest import Serving


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
        gone = await one.submit("/account", "/logout")
        assert gone.status_code == 303
        assert (await one.get("/account")).status_code == 303
