"""Who asks, and whether they may: one gate in front of every route.

A route says what it needs in its `opt`: `opt=requires("work")`, `opt=OPEN`. A route that says
nothing needs somebody to be logged in, so that a forgotten word never opens a door. Programs send
`Authorization: Bearer <API key>`; pages send a cookie, and with every unsafe request a token
against cross-site request forgery (form field `_csrf_token` or header `x-csrf-token`).
"""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Cookie, State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from canut.errors import Forbidden, NotFound, TooMany, Unauthenticated
from canut.people.credentials import new_token, token_hash
from canut.people.model import ROLES, SCOPES, Principal
from canut.people.store import principal_of_key, principal_of_session
from canut.web.form_tokens import form_token, is_form_token
from canut.web.house import House, remembered
from canut.web.i18n import N_

#: for anybody: the log-in page, static files
OPEN: dict[str, Any] = {"open": True}
#: for anybody, from programs that cannot know our token (incoming webhooks check a signature)
OPEN_TO_PROGRAMS: dict[str, Any] = {"open": True, "csrf": False}

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
CSRF_FIELD = "_csrf_token"
CSRF_HEADER = b"x-csrf-token"
TOO_MANY_REQUESTS = N_("Too many requests.")
#: largest number that names anything (a bigint of PostgreSQL)
NUMBER_MAX = 2**63 - 1
LOOPBACK = frozenset({"127.0.0.1", "::1", ""})


class Asked:
    """How a request showed who asks."""

    __slots__ = ("bearer", "guest", "new_guest", "token")

    def __init__(self, token: str | None, guest: str | None, *, bearer: bool):
        #: secret of the session or of the API key
        self.token = token
        self.bearer = bearer
        #: secret of a browser that is not logged in, so that its forms are bound to it too
        self.guest = guest
        self.new_guest = False

    def csrf_token(self) -> str:
        """What the forms of this page must send back. Bound to the session, so it needs no
        memory; a browser without one gets a secret of its own (see `canut.web.pages`)."""
        seed = self.token or self.guest
        if seed is None:
            seed = self.guest = new_token()
            self.new_guest = True
        return form_token(seed)


WebRequest = Request[Principal | None, Asked, State]


def requires(*names: str) -> dict[str, Any]:
    """`opt` of a route that needs one of these roles or scopes; of none, any principal.

    A scope opens the door to sessions and keys. A role is for people: it needs a session.
    """
    unknown = set(names) - ROLES - SCOPES
    if unknown:
        raise ValueError(f"no such role or scope: {', '.join(sorted(unknown))}")
    return {"requires": frozenset(names)}


def house(request: WebRequest) -> House:
    """What the requests of this process share."""
    shared: House = request.app.state["house"]
    return shared


def principal(request: WebRequest) -> Principal:
    """Who asks. Raises `Unauthenticated` on an open route when nobody is logged in."""
    asking = request.scope.get("user")
    if asking is None:
        raise Unauthenticated("Log in first.")
    assert isinstance(asking, Principal)
    return asking


def visitor(request: WebRequest) -> Principal | None:
    """Who asks, on a route that is open: None when nobody is logged in."""
    asked(request)
    asking = request.scope.get("user")
    return asking if isinstance(asking, Principal) else None


def asked(request: WebRequest) -> Asked:
    """How the request showed who asks."""
    if not isinstance(request.scope.get("auth"), Asked):
        _recognise(request)
    shown = request.scope["auth"]
    assert isinstance(shown, Asked)
    return shown


def _recognise(request: WebRequest) -> None:
    """A path without a route never passed the gate. Its error page still greets whom we
    remember; it asks nobody."""
    shared = house(request)
    names = [cookie_name(shared, kind).encode() for kind in ("session", "guest")]
    shown = _shown(request.scope["headers"], *names)
    if shown.token is not None:
        memory = remembered(token_hash(shown.token), session=not shown.bearer)
        request.scope["user"] = shared.principals.find(memory)[1]
    request.scope["auth"] = shown


def address(scope: Scope) -> str:
    """Address of the client. A proxy on this machine is believed about whom it serves: the last
    of what it says, because the client may have written what stands before."""
    peer = (scope.get("client") or ("", 0))[0]
    if peer in LOOPBACK:
        for name, value in reversed(list(scope["headers"])):
            if name == b"x-forwarded-for":
                return value.decode("latin-1").rpartition(",")[2].strip()
    return peer


def session_cookie(shared: House, token: str | None) -> Cookie:
    """The cookie that starts a session, or with None ends it."""
    hours = shared.settings.session_hours if token else 0
    return _cookie(shared, cookie_name(shared, "session"), token or "", hours * 3600)


def guest_cookie(shared: House, secret: str) -> Cookie:
    """The cookie that binds the forms of a browser which is not logged in."""
    return _cookie(shared, cookie_name(shared, "guest"), secret, 24 * 3600)


def cookie_name(shared: House, kind: str) -> str:
    """`__Host-` makes browsers refuse the cookie from other hosts and without https."""
    return f"__Host-canut-{kind}" if shared.secure else f"canut-{kind}"


def gate(shared: House) -> Any:
    """Middleware: authenticate, limit, check the token of forms, check what the route requires.

    Raises `Unauthenticated`, `Forbidden`, `TooMany`.
    """
    session = cookie_name(shared, "session").encode()
    guest = cookie_name(shared, "guest").encode()

    def around(app: ASGIApp) -> ASGIApp:
        async def pass_gate(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == ScopeType.HTTP:
                opt = scope["route_handler"].opt
                shown = scope["auth"] = _shown(scope["headers"], session, guest)
                asking = None
                if shown.token is not None:
                    asking = await _resolve(shared, scope, shown)
                scope["user"] = asking
                _limit(shared, scope, asking)
                # first who may: the token stands in the body, and nobody's body is read (an
                # upload may be large) for a stranger
                if not opt.get("open"):
                    _check_may(asking, opt.get("requires"))
                if scope["method"] not in SAFE_METHODS and not shown.bearer:
                    await _check_csrf(shared, scope, receive, shown)
                _check_path(scope)
            await app(scope, receive, send)

        return pass_gate

    return around


def _shown(headers: Any, session: bytes, guest: bytes) -> Asked:
    """What the headers show; a key wins over a cookie."""
    cookies = b""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return Asked(value[7:].strip().decode("latin-1"), None, bearer=True)
        if name == b"cookie":
            cookies = value if not cookies else cookies + b";" + value
    if not cookies:
        return Asked(None, None, bearer=False)
    pairs = dict(part.strip().partition(b"=")[::2] for part in cookies.split(b";"))
    token = pairs.get(session, b"").decode("latin-1") or None
    return Asked(token, pairs.get(guest, b"").decode("latin-1") or None, bearer=False)


async def _resolve(shared: House, scope: Scope, shown: Asked) -> Principal | None:
    """Who the token belongs to; from memory where we asked a moment ago."""
    assert shown.token is not None
    hashed = token_hash(shown.token)
    memory = remembered(hashed, session=not shown.bearer)
    known, found = shared.principals.find(memory)
    if not known:
        origin = address(scope)
        wait_s = shared.strangers.wait(origin)
        if wait_s:
            raise TooMany("Too many unknown keys.", retry_after_s=max(1, round(wait_s + 0.5)))
        ask = principal_of_key if shown.bearer else principal_of_session
        async with shared.connection() as conn:
            found = await ask(conn, hashed)
        shared.principals.remember(memory, found)
        if found is None:
            shared.strangers.take(origin)
    if found is None:
        if shown.bearer:
            raise Unauthenticated("This API key is not known, or was revoked.")
        shown.token = None
    return found


def _limit(shared: House, scope: Scope, asking: Principal | None) -> None:
    if scope["route_handler"].opt.get("unlimited"):
        return
    key = asking.key if asking is not None else address(scope)
    shared.requests.check(key, TOO_MANY_REQUESTS)


def _check_path(scope: Scope) -> None:
    """A number that the database has no room for is the number of nothing."""
    for value in scope["path_params"].values():
        if isinstance(value, int) and abs(value) > NUMBER_MAX:
            raise NotFound("There is no such thing, or it is not yours to see.")


def _check_may(asking: Principal | None, names: frozenset[str] | None) -> None:
    if asking is None:
        raise Unauthenticated("Log in first.")
    if not names or names & asking.scopes or (asking.session and names & asking.roles):
        return
    raise Forbidden("You may not do this.")


async def _check_csrf(shared: House, scope: HTTPScope, receive: Receive, shown: Asked) -> None:
    """Refuse a request that another site made the browser send."""
    if scope["route_handler"].opt.get("csrf") is False:
        return
    headers = dict(scope["headers"])
    seed = shown.token or shown.guest
    if _same_origin(shared, headers) and seed is not None:
        given = headers.get(CSRF_HEADER, b"").decode("latin-1")
        if not given and b"form" in headers.get(b"content-type", b""):
            # read once: the handler finds the form already there
            form = await Request[Any, Any, Any](scope, receive).form()
            given = str(form.get(CSRF_FIELD, ""))
        if is_form_token(given, seed):
            return
    raise Forbidden(
        "This form is too old, or it did not come from our pages.", mend="load the page again"
    )


def _same_origin(shared: House, headers: dict[bytes, bytes]) -> bool:
    """What the browser says about where the request comes from; a program says nothing."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site in {b"same-origin", b"none"}
    origin = headers.get(b"origin")
    if origin is None:
        return True
    host = urlsplit(origin.decode("latin-1")).netloc
    return host in {shared.host, headers.get(b"host", b"").decode("latin-1")}


def _cookie(shared: House, name: str, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=shared.secure,
    )
