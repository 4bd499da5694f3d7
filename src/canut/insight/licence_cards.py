"""Licences as people read them: with names, titles, what they rest on, and who decided what."""

from collections.abc import Sequence

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.quality.figures import Locale
from canut.quality.licences import grounds as licence_grounds
from canut.quality.licences import store
from canut.quality.licences import store_acts as acts_store
from canut.quality.licences import words as licence_words
from canut.quality.licences.store_acts import Act, Contact, Holder, StepTitle
from canut.quality.model import Licence, LicencePlace


class Card(Struct, frozen=True):
    """A licence with all that is told beside it."""

    licence: Licence
    holder: Holder
    step: StepTitle
    acts: list[Act]

    def words(self, locale: Locale) -> list[str]:
        """What it is, what it rests on, what is missing, what evidence says, what people did."""
        said = licence_words.sentences(self.licence, self.holder.name, locale)
        if self.acts and self.licence.state == "ended":
            # what a person did is told once, with the cause
            ended = any(act.action == "end.licence" for act in self.acts)
            said = [] if ended else said
        return [
            *said,
            *licence_grounds.grounds(self.licence, self.acts, locale),
            *licence_grounds.evidence(self.licence, locale),
        ]


class Mine(Struct, frozen=True):
    """A contributor's licences."""

    #: in force or being earned
    open: list[Card]
    #: ended, the newest first
    ended: list[Card]
    #: where an agent could begin to earn one
    earnable: list[StepTitle]
    #: whom to write to about a decision
    contacts: list[Contact]


def mine(conn: SyncConn, contributor_id: int) -> Mine:
    """What a contributor holds, held and could earn."""
    made = cards(conn, store.of_contributor(conn, contributor_id))
    places = acts_store.earnable(conn, contributor_id)
    return Mine(
        open=[one for one in made if one.licence.state != "ended"],
        ended=[one for one in made if one.licence.state == "ended"],
        earnable=list(acts_store.titles(conn, places).values()),
        contacts=acts_store.contacts(conn, acts_store.enders(conn, contributor_id)),
    )


def of_step(
    conn: SyncConn, process_id: int, step_slug: str, limit: int, before: int = 2**63 - 1
) -> list[Card]:
    """Every version at a step, the newest first."""
    return cards(conn, store.history(conn, process_id, step_slug, limit, before))


def open_at(conn: SyncConn, process_id: int, step_slug: str, limit: int) -> list[Card]:
    """What is in force or being earned at a step."""
    return cards(conn, store.open_at(conn, process_id, step_slug, limit))


def with_versions(conn: SyncConn, licence_id: int) -> list[Card]:
    """A licence, and then all versions of the same contributor at the step, it among them, the
    newest first. Raises `NotFound`."""
    licence = store.one(conn, licence_id)
    if licence is None:
        raise NotFound("There is no such licence.")
    place = LicencePlace(licence.contributor_id, licence.process_id, licence.step_slug)
    return cards(conn, [licence, *store.versions(conn, place)])


def cards(conn: SyncConn, licences: Sequence[Licence]) -> list[Card]:
    """In the order of `licences`."""
    steps = acts_store.titles(conn, sorted({(o.process_id, o.step_slug) for o in licences}))
    holders = acts_store.holders(conn, sorted({one.contributor_id for one in licences}))
    acts: dict[int, list[Act]] = {}
    for act in acts_store.acts(conn, [one.id for one in licences]):
        acts.setdefault(act.licence_id, []).append(act)
    return [
        Card(
            one,
            holders[one.contributor_id],
            steps[one.process_id, one.step_slug],
            acts.get(one.id, []),
        )
        for one in licences
    ]
