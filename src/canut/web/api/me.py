"""Who asks."""

from litestar import get

from canut.sdk import values as v
from canut.web.api.common import PREFIX
from canut.web.api.describe import Operation, described
from canut.web.api.replying import Json, reply
from canut.web.auth import WebRequest, principal

ME = Operation(
    name="me",
    summary="Who am I?",
    description="Who the key belongs to, and what it may do.",
    tag="people",
    reply=v.Me,
    reply_example=v.Me(
        name="Maison Exemple", roles=["client"], scopes=["batches:read"], clients=[3]
    ),
)


@get(f"{PREFIX}/me", opt=described(ME))
async def me(request: WebRequest) -> Json:
    """The principal."""
    who = principal(request)
    return reply(
        v.Me(
            name=who.name,
            roles=sorted(who.roles),
            scopes=sorted(who.scopes),
            clients=list(who.client_ids),
            contributor=who.contributor_id,
        )
    )


ROUTES = [me]
