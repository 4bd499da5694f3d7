"""Pages about oneself: log in and out, the first operator, invitations, signing up, the account
and its API keys."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from canut.errors import CanutError, Conflict, Expired, Invalid, Problem, TooMany, Unauthenticated
from canut.people import rules, store
from canut.people.model import ApiKey, Invitation, NewKey, Principal, SignUp
from canut.web.auth import (
    OPEN,
    WebRequest,
    address,
    asked,
    house,
    principal,
    requires,
    session_cookie,
    visitor,
)
from canut.web.errors import STATUS, headers_of
from canut.web.i18n import N_
from canut.web.pages.render import go, language_cookie, locale_of, own_path, render

TOO_MANY_LOG_INS = N_("Too many attempts to log in. Wait a minute.")


@get("/login", opt=OPEN)
async def show_log_in(request: WebRequest, next: FromQuery[str] = "/") -> Response[Any]:
    """The form to log in; whoever is logged in goes on."""
    if visitor(request) is not None:
        return go(own_path(next))
    return render(request, "account/login.html", next=own_path(next), email="", **_error(None))


@post("/login", opt=OPEN)
async def log_in(request: WebRequest) -> Response[Any]:
    """Start a session."""
    shared, form = house(request), await _form(request)
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
        return _again(request, "account/login.html", error, next=onward, email=email)
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
    shared, form, who = house(request), await _form(request), visitor(request)
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
    return render(request, "account/join.html", form={}, **_error(None))


@post("/join", opt=OPEN)
async def join(request: WebRequest) -> Response[Any]:
    """Sign up as a contributor: an account, and work."""
    shared, form, who = house(request), await _form(request), visitor(request)
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
        return _again(request, "account/join.html", error, form=form)


@get("/account", opt=requires())
async def show_account(request: WebRequest) -> Response[Any]:
    """Name, language, password and API keys."""
    return await _account_page(request)


@post("/account", opt=requires())
async def change_profile(request: WebRequest) -> Response[Any]:
    """Change name and language."""
    form, who, shared = await _form(request), _person(request), house(request)
    assert who.account_id is not None
    name, locale = form.get("name", ""), form.get("locale", "")
    try:
        async with shared.connection() as conn:
            await store.change_profile(conn, who, who.account_id, name=name, locale=locale)
    except Invalid as error:
        return await _account_page(request, error=error)
    shared.principals.forget_account(who.account_id)
    return go("/account", [language_cookie(request, locale)])


@post("/account/password", opt=requires())
async def change_password(request: WebRequest) -> Response[Any]:
    """Change the password; every other session ends."""
    form, who, shared = await _form(request), _person(request), house(request)
    assert who.account_id is not None
    old, new = form.get("old", ""), form.get("new", "")
    # somebody at a machine left alone must not guess the password here
    shared.log_ins.check(f"password:{who.account_id}", TOO_MANY_LOG_INS)
    try:
        async with shared.connection() as conn:
            await store.change_password(conn, who, who.account_id, old=old, new=new)
    except Invalid as error:
        return await _account_page(request, error=error)
    shared.principals.forget_account(who.account_id)
    async with shared.connection() as conn:
        hours = shared.settings.session_hours
        token = await store.open_session(conn, who.account_id, hours=hours)
    return go("/account", [session_cookie(shared, token)])


@post("/account/keys", opt=requires())
async def create_key(request: WebRequest) -> Response[Any]:
    """Make an API key and show it, this once."""
    form, who, shared = await _form(request), _person(request), house(request)
    owner = form.get("owner", "")
    try:
        async with shared.connection() as conn:
            made = await store.create_api_key(
                conn,
                who,
                name=form.get("name", ""),
                scopes=(await request.form()).getall("scopes", []),
                **_owner(who, owner),
            )
    except Invalid as error:
        # the forms above have fields of the same names
        return await _account_page(request, error=error, beside_fields=False)
    return await _account_page(request, made=made)


@post("/account/keys/{key_id:int}/revoke", opt=requires())
async def revoke_key(request: WebRequest, key_id: FromPath[int]) -> Response[Any]:
    """Revoke an API key."""
    who, shared = _person(request), house(request)
    async with shared.connection() as conn:
        hashed = await store.revoke_api_key(conn, who, key_id)
    if hashed is not None:
        shared.principals.forget(hashed)
    return go("/account")


def _person(request: WebRequest) -> Principal:
    """A person with a session: programs do not change accounts."""
    who = principal(request)
    if not who.session:
        raise Unauthenticated("Log in first.")
    return who


async def _form(request: WebRequest) -> dict[str, str]:
    """The text fields of the form."""
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


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
        return _again(request, "account/invite.html", error, **values)
    return render(request, "account/invite.html", **values, **_error(None))


async def _account_page(
    request: WebRequest,
    *,
    error: CanutError | None = None,
    beside_fields: bool = True,
    made: NewKey | None = None,
) -> Response[Any]:
    who = _person(request)
    assert who.account_id is not None
    async with house(request).connection() as conn:
        account = await store.get_account(conn, who.account_id)
        keys = await store.list_api_keys(conn, who)
        clients = {client.id: client for client in await store.list_clients(conn)}
    owners = [("contributor", "", "work")] if who.contributor_id is not None else []
    owners += [
        (f"client:{number}", clients[number].name, "batches:read batches:write")
        for number in who.client_ids
    ]
    if "operator" in who.roles:
        owners.append(("account", "", "operate batches:read batches:write"))
    status = 200 if error is None else STATUS[error.code]
    return render(
        request,
        "account/account.html",
        status=status,
        account=account,
        keys=[key for key in keys if _own(key, who)],
        owners=[(value, name, scopes.split()) for value, name, scopes in owners],
        made=made,
        client_names={number: client.name for number, client in clients.items()},
        **_error(_told(request, error), beside_fields=beside_fields),
    )


def _own(key: ApiKey, who: Principal) -> bool:
    """An operator answers for every key; this page shows their own."""
    return (
        (key.account_id is not None and key.account_id == who.account_id)
        or key.client_id in who.client_ids
        or (key.contributor_id is not None and key.contributor_id == who.contributor_id)
    )


def _owner(who: Principal, owner: str) -> dict[str, int | None]:
    kind, _, number = owner.partition(":")
    if kind == "client" and number.isdecimal():
        return {"client_id": int(number)}
    if kind == "contributor":
        return {"contributor_id": who.contributor_id}
    if kind == "account":
        return {"account_id": who.account_id}
    raise Invalid(
        "The key was not made.",
        problems=[Problem("Choose whom the key acts for.", field="owner")],
    )


def _again(request: WebRequest, template: str, error: CanutError, **values: Any) -> Response[Any]:
    """The form once more, with what is wrong beside the fields."""
    told = _told(request, error)
    page = render(request, template, status=STATUS[error.code], **values, **_error(told))
    page.headers.update(headers_of(error))
    return page


def _told(request: WebRequest, error: CanutError | None) -> CanutError | None:
    """The error in the language of the page."""
    if error is None:
        return None
    say, locale = house(request).templates.gettext, locale_of(request)
    problems = [
        Problem(
            say(problem.message, locale),
            mend=say(problem.mend, locale) if problem.mend else "",
            field=problem.field,
        )
        for problem in error.problems
    ]
    mend = say(error.mend, locale) if error.mend else ""
    return CanutError(say(error.message, locale), mend=mend, problems=problems)


def _error(error: CanutError | None, *, beside_fields: bool = True) -> dict[str, Any]:
    """What the forms show: the error, and its problems by field."""
    problems = error.problems if error is not None and beside_fields else []
    return {"error": error, "wrong": {problem.field: problem for problem in problems}}


ROUTES: list[ControllerRouterHandler] = [
    show_log_in,
    log_in,
    log_out,
    show_set_up,
    show_invitation,
    accept_invitation,
    show_join,
    join,
    show_account,
    change_profile,
    change_password,
    create_key,
    revoke_key,
]
