"""Who uses the platform."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import TimeMs

Name = Annotated[
    str,
    Meta(
        description="For people.",
        min_length=1,
        max_length=180,
        pattern=r"^[^\x00-\x1f\x7f\ud800-\udfff]*[^\s\x00-\x1f\x7f\ud800-\udfff][^\x00-\x1f\x7f\ud800-\udfff]*$",
    ),
]
Skill = Annotated[
    str,
    Meta(
        description="Small letters and digits, with - / : . between them.",
        max_length=100,
        pattern=r"^[a-z0-9]+([-/:.][a-z0-9]+)*$",
    ),
]


class Me(Struct, frozen=True):
    """Who asks, and what they may do."""

    name: str
    roles: list[str]
    scopes: list[str]
    clients: Annotated[list[int], Meta(description="Clients whose data you may see.")] = []
    contributor: Annotated[int | None, Meta(description="You, as a contributor.")] = None


class NewContributors(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Simulated contributors to be made: programs that play a person, marked as such."""

    count: Annotated[int, Meta(ge=1, le=200)] = 1
    name: Name = "Simulated"
    skills: Annotated[list[Skill], Meta(max_length=50)] = []


class ContributorCreated(Struct, frozen=True):
    """A contributor just made, with the key it works with, shown this once."""

    id: int
    name: str
    key: str


class ContributorsCreated(Struct, frozen=True):
    """The contributors just made."""

    contributors: list[ContributorCreated]


class Contributor(Struct, frozen=True):
    """Who answers tasks."""

    id: int
    kind: Literal["person", "agent"]
    name: str
    simulated: Annotated[bool, Meta(description="A program that plays a person.")]
    state: Literal["active", "paused"]
    skills: list[str]
    created_ms: TimeMs
    family: Annotated[
        str | None, Meta(description="Of an agent: a family counts as one voice.")
    ] = None


class NewAgent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An AI agent to be made."""

    name: Name
    family: Annotated[
        Skill | None, Meta(description="Agents of one model, whatever their prompts.")
    ] = None
    skills: Annotated[list[Skill], Meta(max_length=50)] = []


class ChangeContributor(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change about an agent."""

    family: Annotated[Skill | None, Meta(description="Null: of no family.")]


class NewClient(Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation to be made."""

    slug: Annotated[
        str,
        Meta(
            description="Short name: small letters, digits and hyphens.",
            max_length=60,
            pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        ),
    ]
    name: Name


class ClientCreated(Struct, frozen=True):
    """An organisation just made, with its first key, shown this once."""

    id: int
    slug: str
    name: str
    key: str


class Client(Struct, frozen=True):
    """An organisation that hands work over."""

    id: int
    slug: str
    name: str
    created_ms: TimeMs


class AuditEntry(Struct, frozen=True):
    """A change that a person or a key made."""

    id: int
    at_ms: TimeMs
    action: str
    subject: str
    subject_id: str
    detail: dict[str, Any]
    account: int | None = None
    key: Annotated[int | None, Meta(description="The API key that did it.")] = None
    client: int | None = None
