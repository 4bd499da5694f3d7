"""Licences as they travel."""

from typing import Any

from canut.db.pool import SyncConn
from canut.insight import licence_cards
from canut.insight.licence_cards import Card
from canut.quality.figures import Locale
from canut.quality.licences import slice_words, store
from canut.quality.licences.slice_words import SliceRow
from canut.quality.licences.store_acts import StepTitle
from canut.quality.model import Licence
from canut.sdk import values as v

LANGUAGES: tuple[Locale, ...] = ("en", "fr")


def my_licences(conn: SyncConn, contributor: int) -> v.MyLicences:
    """Everything about a contributor's licences, as it travels."""
    found = licence_cards.mine(conn, contributor)
    return v.MyLicences(
        [licence(one) for one in found.open],
        [licence(one) for one in found.ended],
        [_earnable(one) for one in found.earnable],
        [v.Contact(one.name, one.email) for one in found.contacts],
    )


def one_licence(conn: SyncConn, one: Licence) -> v.Licence:
    """A licence with all that is told of it."""
    found = store.one(conn, one.id)
    assert found is not None
    return licence(licence_cards.cards(conn, [found])[0])


def licence(card: Card) -> v.Licence:
    """A licence as it travels."""
    one, step = card.licence, card.step
    cause: Any = next((act.cause for act in card.acts if act.action == "end.licence"), None)
    return v.Licence(
        id=one.id,
        contributor=one.contributor_id,
        name=card.holder.name,
        kind="agent" if card.holder.kind == "agent" else "person",
        process_id=one.process_id,
        process=step.process_slug,
        step=one.step_slug,
        title=step.title,
        step_title=step.step_title,
        version=one.version,
        state=one.state,
        words={locale: card.words(locale) for locale in LANGUAGES},
        promise=one.error_max,
        started_ms=one.started_ms,
        basis=one.basis,
        threshold=one.threshold,
        evidence=one.standing,
        finding=one.finding,
        granted_ms=one.granted_ms,
        flagged_ms=one.flagged_ms,
        ended_ms=one.ended_ms,
        cause=cause,
        reason=one.reason,
        parted_by=one.slices["by"] if one.slices else "",
        slices=[_slice(row) for row in slice_words.rows(one)],
    )


def _slice(row: SliceRow) -> v.LicenceSlice:
    return v.LicenceSlice(
        row.name, row.share, row.threshold, row.coverage, row.answers, row.wrong, row.bound,
        row.about,
    )  # fmt: skip


def _earnable(one: StepTitle) -> v.EarnableStep:
    return v.EarnableStep(
        one.process_id, one.process_slug, one.step_slug, one.title, one.step_title
    )
