"""Pages on the way in and out: log in and out, the first operator, invitations, signing up."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from canut.errors import CanutError, Conflict, Expired, Invalid, TooMany, Unauthenticated
from canut.people import rules, store
from canut.people.model import Invitation, SignUp
from canut.web.auth import OPEN, WebRequest, address, asked, house, session_cookie, visitor
from canut.web.pages.forms import TOO_MANY_LOG_INS, again, read_form, shown_error
from canut.web.pages.render import go, locale_of, own_path, render


@get("/login", opt=OPEN)
async def show_log_in(request: WebRequest, next: FromQuery[str] = "/") -> Response[Any]:
    """The form to log in; whoever is logged in goes on."""
    if visitor(request) is not None:
        return go(own_path(next))
    return render(request, "account/login.html", next=own_path(next), email="", **shown_error(None))


@post("/login", opt=OPEN)
async def log_in(request: WebRequest) -> Response[Any]:
    """Start a session."""
    shared, form = house(request), await read_form(request)
    # cut, because limits remember it
    email = rules.normalise_email(form.get("email", ""))[: rules.EMAIL_LENGTH_MAX]
    onward = own_path(form.get("next", "/"))
    try:
        # per account too, so that many addresses do not help to guess one password
        for key in (f"from:{address(request.scope)}", f"account:{email}"):
            shared.log_ins.check(key, TOO_MANY_LOG_INS)
        token = await store.log_in(
            shared.connection,
            email,
            form.get("password", ""),
            hours=shared.settings.session_hours,
        )
    except (Unauthenticated, TooMany) as error:
        return again(request, "account/login.html", error, next=onward, email=email)
    shared.log_ins.forget(f"account:{email}")
    return go(onward, [session_cookie(shared, token)])


@post("/logout", opt=OPEN)
async def log_out(request: WebRequest) -> Response[Any]:
    """End the session."""
    shared, token = house(request), asked(request).token
    if token is not None:
        async with shared.connection() as conn:
            await store.log_out(conn, token)
        shared.principals.forget_token(token, session=True)
    return go("/login", [session_cookie(shared, None)])


@get("/setup/{token:str}", opt=OPEN)
async def show_set_up(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """The form that creates the first operator, while there is none."""
    invitation = await _invitation(request, token)
    return _show_invitation(request, token, invitation)


@get("/invite/{token:str}", opt=OPEN)
async def show_invitation(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """The form behind a link: a new account, more for this account, or a new password."""
    invitation = await _invitation(request, token)
    return _show_invitation(request, token, invitation)


@post(["/setup/{token:str}", "/invite/{token:str}"], opt=OPEN)
async def accept_invitation(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Do what the link is for, and log in."""
    shared, form, who = house(request), await read_form(request), visitor(request)
    invitation = await _invitation(request, token)
    try:
        async with shared.connection() as conn:
            if invitation.account_id is not None:
                account = await store.set_password_by_link(conn, token, form.get("password", ""))
                shared.principals.forget_account(account)
            elif who is not None and who.session and not invitation.first_run:
                await store.join_by_invitation(conn, token, who)
                shared.principals.forget_account(who.account_id)
                return go("/")
            else:
                account = await store.accept_invitation(conn, token, _sign_up(request, form))
            return await _enter(request, account)
    except (Invalid, Conflict) as error:
        return _show_invitation(request, token, invitation, error, form)


@get("/join", opt=OPEN)
async def show_join(request: WebRequest) -> Response[Any]:
    """The form to sign up as a contributor."""
    return render(request, "account/join.html", form={}, **shown_error(None))


@post("/join", opt=OPEN)
async def join(request: WebRequest) -> Response[Any]:
    """Sign up as a contributor: an account, and work."""
    shared, form, who = house(request), await read_form(request), visitor(request)
    try:
        async with shared.connection() as conn:
            if who is not None and who.session and who.account_id is not None:
                await store.create_contributor(conn, who, who.account_id)
                shared.principals.forget_account(who.account_id)
                return go("/")
            shared.log_ins.check(f"join:{address(request.scope)}", TOO_MANY_LOG_INS)
            account = await store.sign_up_contributor(conn, _sign_up(request, form))
            return await _enter(request, account)
    except (Invalid, Conflict, TooMany) as error:
        return again(request, "account/join.html", error, form=form)


def _sign_up(request: WebRequest, form: dict[str, str]) -> SignUp:
    return SignUp(
        email=form.get("email", ""),
        name=form.get("name", ""),
        password=form.get("password", ""),
        locale=form.get("locale") or locale_of(request),
    )


async def _enter(request: WebRequest, account_id: int) -> Response[Any]:
    """Log in whoever has just chosen a password."""
    shared = house(request)
    async with shared.connection() as conn:
        hours = shared.settings.session_hours
        token = await store.open_session(conn, account_id, hours=hours)
    return go("/", [session_cookie(shared, token)])


async def _invitation(request: WebRequest, token: str) -> Invitation:
    async with house(request).connection() as conn:
        invitation = await store.read_invitation(conn, token)
    if invitation.first_run != request.scope["path"].startswith("/setup/"):
        raise Expired("This link was used already, or it is too old.", mend="ask for a new one")
    return invitation


def _show_invitation(
    request: WebRequest,
    token: str,
    invitation: Invitation,
    error: CanutError | None = None,
    form: dict[str, str] | None = None,
) -> Response[Any]:
    values: dict[str, Any] = {"token": token, "invitation": invitation, "form": form or {}}
    if error is not None:
        return again(request, "account/invite.html", error, **values)
    return render(request, "account/invite.html", **values, **shown_error(None))


ROUTES: list[ControllerRouterHandler] = [
    show_log_in,
    log_in,
    log_out,
    show_set_up,
    show_invitation,
    accept_invitation,
    show_join,
    join,
]
