"""Who asks, and what they may do."""

from typing import Literal

from msgspec import Struct

from canut.errors import Forbidden, Invalid, NotFound, Problem

#: what an account is, for the whole platform or by what it belongs to
Role = Literal["operator", "steward", "client", "contributor"]
#: what a session or a key may do
Scope = Literal["work", "batches:read", "batches:write", "operate", "books"]

ROLES: frozenset[str] = frozenset({"operator", "steward", "client", "contributor"})
SCOPES: frozenset[str] = frozenset({"work", "batches:read", "batches:write", "operate", "books"})
#: roles that keep pay and the books
KEEPERS: frozenset[str] = frozenset({"operator", "steward"})

#: scopes that a role brings with it; a key never has more than its owner's roles bring
SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    "operator": frozenset({"operate", "books", "batches:read", "batches:write"}),
    "steward": frozenset({"books"}),
    "client": frozenset({"batches:read", "batches:write"}),
    "contributor": frozenset({"work"}),
}


def scopes_of(roles: frozenset[str]) -> frozenset[str]:
    """Every scope that these roles bring."""
    return frozenset[str]().union(*(SCOPES_OF_ROLE[role] for role in roles))


class Principal(Struct, frozen=True):
    """Who asks: a person with a session, or a program with an API key."""

    #: the account of the person, or the account a key acts for
    account_id: int | None = None
    #: the client a key acts for; None for a person, who may belong to several
    client_id: int | None = None
    #: the contributor that this person is, or that the key acts for
    contributor_id: int | None = None
    api_key_id: int | None = None
    #: a person logged in to the pages
    session: bool = False
    name: str = ""
    locale: str = "en"
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    #: clients whose data this principal may see (an operator sees every client's)
    client_ids: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """One name for the owner of limits and idempotency keys."""
        if self.api_key_id is not None:
            return f"key:{self.api_key_id}"
        return f"account:{self.account_id}"

    @property
    def clients(self) -> list[int] | None:
        """Clients to show, as the parameter `clients` of `canut.people.store.OF_CLIENTS`:
        None stands for every client and is only ever returned to an operator."""
        return None if "operator" in self.roles else list(self.client_ids)

    @property
    def keeps_books(self) -> bool:
        """Whether this principal keeps pay and the books."""
        return not self.roles.isdisjoint(KEEPERS)

    def sees(self, client_id: int) -> bool:
        """Whether this principal may see data of the client."""
        return "operator" in self.roles or client_id in self.client_ids

    def check_sees(self, client_id: int) -> None:
        """Raises `NotFound`, not `Forbidden`: that a thing exists is a client's secret too."""
        if not self.sees(client_id):
            raise NotFound("There is no such thing, or it is not yours to see.")

    def client(self, asked: int | None = None) -> int:
        """The client this principal acts for now.

        Raises `NotFound` for a client that is not theirs, `Invalid` if they belong to several
        and did not say which, `Forbidden` if they belong to none.
        """
        if asked is not None:
            self.check_sees(asked)
            return asked
        if len(self.client_ids) == 1:
            return self.client_ids[0]
        if not self.client_ids and "operator" not in self.roles:
            raise Forbidden("You act for no client.", mend="ask a client to invite you")
        raise Invalid(
            "Say which client this is for.",
            problems=[Problem("Say which client this is for.", field="client_id")],
        )

    def contributor(self) -> int:
        """The contributor who asks. Raises `Forbidden` for everybody else."""
        if self.contributor_id is None:
            raise Forbidden(
                "Only contributors answer tasks.", mend="sign up as a contributor first"
            )
        return self.contributor_id


class Client(Struct, frozen=True):
    """An organisation that hands work over."""

    id: int
    slug: str
    name: str
    created_ms: int


class Account(Struct, frozen=True):
    """A person who can log in, with what they may do."""

    id: int
    email: str
    name: str
    locale: str
    created_ms: int
    disabled_ms: int | None
    roles: list[str]
    client_ids: list[int]
    contributor_id: int | None


class Contributor(Struct, frozen=True):
    """Who answers tasks: a person or an AI agent."""

    id: int
    kind: Literal["person", "agent"]
    account_id: int | None
    name: str
    simulated: bool
    state: Literal["active", "paused"]
    skills: list[str]
    created_ms: int
    #: of an agent: contributors of one family (one model, one maker) are one voice
    family: str | None = None


class ApiKey(Struct, frozen=True):
    """An API key as it can be shown: never the secret."""

    id: int
    prefix: str
    name: str
    account_id: int | None
    client_id: int | None
    contributor_id: int | None
    scopes: list[str]
    created_ms: int
    revoked_ms: int | None


class NewKey(Struct, frozen=True):
    """A key just made: the only moment its secret is known."""

    id: int
    secret: str


class Invitation(Struct, frozen=True):
    """What the holder of a link may set up."""

    email: str | None
    first_run: bool
    #: the account that gets a new password; None for an invitation to join
    account_id: int | None
    roles: list[str]
    client_id: int | None
    contributor: bool
    expires_ms: int


class SignUp(Struct, frozen=True):
    """What a person enters to get an account."""

    email: str
    name: str
    password: str
    locale: str = "en"


class Grant(Struct, frozen=True):
    """What an invitation gives: roles, membership of a client, work as a contributor."""

    roles: tuple[str, ...] = ()
    client_id: int | None = None
    contributor: bool = False
