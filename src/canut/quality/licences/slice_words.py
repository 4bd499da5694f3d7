"""A licence in parts, in words. See `words` for the whole."""

from msgspec import Struct

from canut.processes.model import BY_ANSWER
from canut.quality.figures import Locale, as_count, as_share
from canut.quality.licences.slices import Slice, Slices, over_all, slices_of
from canut.quality.model import Licence

_WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "in_force": "In force in {alone} of {n} parts of the work: decides alone about {coverage}"
        " of all of it. {stream} of its tasks go to people too, blind, for ever.",
        "earning": "Not in force: people decide everything, and judge {stream} of the agent’s"
        " answers blind.",
        "collecting": "It will hold for parts of the work, by {by}. Parts and thresholds are set"
        " before any outcome is looked at.",
        "parted": "The parts are told by {by}. Each has its own evidence and its own threshold:"
        " among what the agent decides there, at most {error} are wrong, at {confidence} confidence"
        " for all parts and versions together.",
        "field": "the field “{by}”",
        "answer": "what the agent answers",
        "rest": "everything else",
        "name": "“{name}”",
        "alone": "Part {name}, {share} of the work: decides alone from a confidence of {threshold}"
        " on, about {coverage} of the part. Proved on {audits} blind answers, {wrong} wrong: errors"
        " at most {bound}.",
        "watched": "Since then {answers} blind answers, {wrong} wrong.",
        "few": "Part {name}, {share} of the work: decides nothing alone. There are too few blind"
        " answers yet to set thresholds.",
        "about": "Part {name}, {share} of the work: decides nothing alone. Not yet provable:"
        " {audits} blind answers so far, {wrong} wrong; about {about} more are needed here, which"
        " takes about {all} over all the work.",
        "never": "Part {name}, {share} of the work: decides nothing alone. Not provable: of"
        " {audits} blind answers {wrong} were wrong; if it goes on like this, it never will be.",
        "unseen": "Work that belongs to none of these parts is decided by people.",
        "widened": "Ended: more was proved, and the next version holds it.",
    },
    "fr": {
        "in_force": "En vigueur pour {alone} des {n} parties du travail : décide seul d’environ"
        " {coverage} de l’ensemble. {stream} de ses tâches vont aussi à des personnes, à l’aveugle,"
        " pour toujours.",
        "earning": "Pas en vigueur : des personnes décident de tout, et jugent à l’aveugle {stream}"
        " des réponses de l’agent.",
        "collecting": "Elle vaudra pour des parties du travail, selon {by}. Les parties et les"
        " seuils sont fixés avant que le moindre résultat soit regardé.",
        "parted": "Les parties se distinguent par {by}. Chacune a ses propres preuves et son propre"
        " seuil : parmi ce que l’agent y décide, au plus {error} est faux, avec une confiance de"
        " {confidence} pour toutes les parties et toutes les versions ensemble.",
        "field": "le champ «\u00a0{by}\u00a0»",
        "answer": "ce que répond l’agent",
        "rest": "tout le reste",
        "name": "«\u00a0{name}\u00a0»",
        "alone": "Partie {name}, {share} du travail : décide seul à partir d’une confiance de"
        " {threshold}, soit environ {coverage} de la partie. Prouvé sur {audits} réponses à"
        " l’aveugle, dont {wrong} fausses : au plus {bound} d’erreurs.",
        "watched": "Depuis, {answers} réponses à l’aveugle, dont {wrong} fausses.",
        "few": "Partie {name}, {share} du travail : ne décide rien seul. Il y a encore trop peu de"
        " réponses à l’aveugle pour fixer des seuils.",
        "about": "Partie {name}, {share} du travail : ne décide rien seul. Pas encore prouvable :"
        " {audits} réponses à l’aveugle jusqu’ici, dont {wrong} fausses ; il en faut encore environ"
        " {about} dans cette partie, soit environ {all} sur tout le travail.",
        "never": "Partie {name}, {share} du travail : ne décide rien seul. Pas prouvable : sur"
        " {audits} réponses à l’aveugle, {wrong} étaient fausses ; si cela continue ainsi, la"
        " preuve ne viendra jamais.",
        "unseen": "Ce qui n’appartient à aucune de ces parties est décidé par des personnes.",
        "widened": "Terminée : davantage a été prouvé, la version suivante le détient.",
    },
}


class SliceRow(Struct, frozen=True):
    """A slice as a table or a file has it."""

    #: empty: everything that has no slice of its own
    name: str
    #: of the work, by the first answers
    share: float
    #: None: it decides nothing alone there
    threshold: float | None
    #: share of the slice that is decided alone
    coverage: float
    #: blind answers that its threshold, or else the first one tried, was held against
    answers: int
    wrong: int
    #: errors at most; None where nothing is proved
    bound: float | None
    #: blind answers of the slice that the next threshold needs, about; None: it needs none that is
    #: known, or no number would do
    about: int | None
    #: answers of the stream since it is in force, and how many of them were wrong
    watched: int
    watched_wrong: int
    #: evidence against it; it ends at `bar`
    capital: float
    bar: float


def rows(licence: Licence) -> list[SliceRow]:
    """The slices of a licence, the largest first, everything else last; none where it is not
    parted or too little has been seen."""
    held = slices_of(licence)
    parts = held.parts if held else None
    return [_row(licence, one, len(parts)) for one in parts] if parts else []


def _row(licence: Licence, one: Slice, n: int) -> SliceRow:
    found, seen = one.finding, one.standing
    missing = found.shortfall if found else None
    counts = found if one.threshold is not None or missing is None else missing
    version = one.since_version or licence.version
    return SliceRow(
        one.name, one.share, one.threshold,
        found.coverage if found and one.threshold is not None else 0.0,
        counts.audits if counts else 0, counts.wrong if counts else 0,
        found.bound if found and one.threshold is not None else None,
        missing.about if missing else None,
        seen.answers if seen else 0, seen.wrong if seen else 0,
        seen.capital if seen else 1.0,
        n * version * (version + 1) / licence.delta,
    )  # fmt: skip


def named(name: str, locale: Locale) -> str:
    """A slice in a sentence."""
    words = _WORDS[locale]
    return words["name"].format(name=name) if name else words["rest"]


def told_by(by: str, locale: Locale) -> str:
    """What parts a licence, in a sentence."""
    words = _WORDS[locale]
    return words["answer"] if by == BY_ANSWER else words["field"].format(by=by)


def ended(reason: str, locale: Locale) -> str | None:
    """How a version of a parted licence ended, where an undivided one has other words."""
    return _WORDS[locale].get(reason) if reason == "widened" else None


def sentences(licence: Licence, locale: Locale) -> list[str]:
    """What an open licence in parts is, part by part; nothing of one that is not parted."""
    held = slices_of(licence)
    if held is None:
        return []
    words, parts = _WORDS[locale], held.parts or []
    finding = licence.finding or {}
    alone = [one for one in parts if one.threshold is not None]
    values = {
        "by": told_by(held.by, locale),
        "n": as_count(len(parts), locale),
        "alone": as_count(len(alone), locale),
        "coverage": as_share(finding.get("coverage", 0.0), locale, places=1),
        "stream": as_share(licence.stream_ppm / 1_000_000, locale),
        "error": as_share(licence.error_max, locale),
        "confidence": as_share(1 - licence.delta, locale),
    }
    keys = ["in_force" if alone else "earning", "parted" if parts else "collecting"]
    return [words[key].format_map(values) for key in keys] + _parts(held, locale)


def _parts(held: Slices, locale: Locale) -> list[str]:
    parts = held.parts or []
    whole = not parts or any(not one.name for one in parts)
    unseen = [] if whole else [_WORDS[locale]["unseen"]]
    return [_part(one, locale) for one in parts] + unseen


def _part(one: Slice, locale: Locale) -> str:
    words = _WORDS[locale]
    values = {"name": named(one.name, locale), "share": as_share(one.share, locale)}
    found = one.finding
    if found is None:
        return words["few"].format_map(values)
    if one.threshold is not None:
        values |= {
            "threshold": as_share(one.threshold, locale),
            "coverage": as_share(found.coverage, locale, places=1),
            "audits": as_count(found.audits, locale),
            "wrong": as_count(found.wrong, locale),
            "bound": as_share(found.bound, locale, up=True),
        }
        said = words["alone"].format_map(values)
        if one.standing is None:
            return said
        seen = {
            "answers": as_count(one.standing.answers, locale),
            "wrong": as_count(one.standing.wrong, locale),
        }
        return f"{said} {words['watched'].format_map(seen)}"
    missing, whole = found.shortfall, over_all(one)
    values |= {
        "audits": as_count(missing.audits if missing else found.audits, locale),
        "wrong": as_count(missing.wrong if missing else found.wrong, locale),
    }
    if missing is None or whole is None or missing.about is None or whole.about is None:
        return words["never"].format_map(values)
    values |= {"about": as_count(missing.about, locale), "all": as_count(whole.about, locale)}
    return words["about"].format_map(values)
