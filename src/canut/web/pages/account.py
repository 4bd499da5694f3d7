"""The account page: name, language, password and API keys."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from canut.errors import CanutError, Invalid, Problem, Unauthenticated
from canut.people import store
from canut.people.model import ApiKey, NewKey, Principal
from canut.web.auth import WebRequest, house, principal, requires, session_cookie
from canut.web.errors import STATUS
from canut.web.pages import entry
from canut.web.pages.forms import TOO_MANY_LOG_INS, read_form, shown_error, told, whole_number
from canut.web.pages.render import go, language_cookie, render


@get("/account", opt=requires())
async def show_account(request: WebRequest) -> Response[Any]:
    """Name, language, password and API keys."""
    return await _account_page(request)


@post("/account", opt=requires())
async def change_profile(request: WebRequest) -> Response[Any]:
    """Change name and language."""
    form, who, shared = await read_form(request), _person(request), house(request)
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
    form, who, shared = await read_form(request), _person(request), house(request)
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
    form, who, shared = await read_form(request), _person(request), house(request)
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
        clients = {client.id: client for client in await store.clients_of(conn, who.client_ids)}
    owners = [("contributor", "", "work")] if who.contributor_id is not None else []
    owners += [
        (f"client:{number}", clients[number].name, "batches:read batches:write")
        for number in who.client_ids
    ]
    if "operator" in who.roles:
        owners.append(("account", "", "operate books batches:read batches:write"))
    elif "steward" in who.roles:
        owners.append(("account", "", "books"))
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
        **shown_error(told(request, error), beside_fields=beside_fields),
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
    if kind == "client" and (client_id := whole_number(number)) is not None:
        who.check_sees(client_id)
        return {"client_id": client_id}
    if kind == "contributor":
        return {"contributor_id": who.contributor_id}
    if kind == "account":
        return {"account_id": who.account_id}
    raise Invalid(
        "The key was not made.",
        problems=[Problem("Choose whom the key acts for.", field="owner")],
    )


ROUTES: list[ControllerRouterHandler] = [
    *entry.ROUTES,
    show_account,
    change_profile,
    change_password,
    create_key,
    revoke_key,
]
