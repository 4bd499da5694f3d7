"""What stands beside a licence, in words: what a person's rests on, what blind evidence says about
it, and what people decided. See `licence_words` for the licence itself."""

from collections.abc import Sequence

from canut.quality.figures import Locale, as_count, as_share
from canut.quality.licences.store_acts import Act
from canut.quality.licences.words import CAPITAL_SHOWN
from canut.quality.model import Licence

_WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "exam": "It rests on an exam: {right} of {of} right, which proves that at least {proved} of"
        " the answers are.",
        "granted": "{name} granted it: {reason}",
        "kept": "{name} looked at what spoke against it ({wrong} of {answers} blind answers wrong)"
        " and kept it: {reason}",
        "ended": "{name} ended it ({cause}): {reason}",
        "shown": "The evidence before them: {wrong} of {answers} blind answers wrong.",
        "evidence": "Blind evidence since it was granted: {answers} answers, {wrong} wrong; the"
        " exam stands for {level} right. A person looks when the evidence against it reaches"
        " {bar}; now it stands at {capital}.",
        "sources": "Of these, {gold} were hidden gold and {audits} audits.",
        "none": "There is no blind evidence about it yet.",
        "operator": "An operator",
    },
    "fr": {
        "exam": "Elle repose sur un examen : {right} réponses justes sur {of}, ce qui prouve qu’au"
        " moins {proved} des réponses le sont.",
        "granted": "{name} l’a accordée : {reason}",
        "kept": "{name} a regardé ce qui plaidait contre elle ({wrong} fausses sur {answers}"
        " réponses à l’aveugle) et l’a maintenue : {reason}",
        "ended": "{name} y a mis fin ({cause}) : {reason}",
        "shown": "Les preuves alors sous les yeux : {wrong} fausses sur {answers} réponses à"
        " l’aveugle.",
        "evidence": "Preuves à l’aveugle depuis qu’elle est accordée : {answers} réponses, dont"
        " {wrong} fausses ; l’examen vaut pour {level} de réponses justes. Une personne regarde"
        " quand la preuve contre elle atteint {bar} ; elle en est à {capital}.",
        "sources": "Parmi elles, {gold} questions témoins cachées et {audits} audits.",
        "none": "Il n’y a pas encore de preuve à l’aveugle à son sujet.",
        "operator": "Une personne de l’exploitation",
    },
}
#: causes of an end, see `licence_acts.CAUSES`
CAUSES: dict[Locale, dict[str, str]] = {
    "en": {
        "evidence": "blind answers speak against it",
        "asked": "its holder asked for it",
        "conduct": "rules of the work were broken",
        "mistake": "it should not have been granted",
        "withdrawn": "the agent is not used any more",
        "other": "another cause",
    },
    "fr": {
        "evidence": "des réponses à l’aveugle plaident contre elle",
        "asked": "la personne l’a demandé",
        "conduct": "des règles du travail n’ont pas été suivies",
        "mistake": "elle n’aurait pas dû être accordée",
        "withdrawn": "l’agent n’est plus utilisé",
        "other": "une autre cause",
    },
}


def grounds(licence: Licence, acts: Sequence[Act], locale: Locale) -> list[str]:
    """What it rests on and what people decided about it. `acts` are those about this licence."""
    words, finding = _WORDS[locale], licence.finding or {}
    lines = []
    if finding.get("exam") and "right" in finding:
        values = {
            "right": as_count(finding["right"], locale),
            "of": as_count(finding["of"], locale),
            "proved": as_share(finding["proved"], locale),
        }
        lines.append(words["exam"].format_map(values))
    return lines + [line for act in acts for line in _act(act, locale)]


def evidence(licence: Licence, locale: Locale) -> list[str]:
    """What blind evidence says about a person's licence in force; nothing of an agent's, whose
    words hold it."""
    if licence.state != "in_force" or licence.threshold is not None:
        return []
    words, standing = _WORDS[locale], licence.standing or {}
    if not standing.get("answers"):
        return [words["none"]]
    values = {
        "answers": as_count(standing["answers"], locale),
        "wrong": as_count(standing["wrong"], locale),
        "level": as_share(standing["level"], locale),
        "capital": as_count(round(min(standing["capital"], CAPITAL_SHOWN)), locale),
        "bar": as_count(round(standing["bar"]), locale),
        "gold": as_count(standing["gold"], locale),
        "audits": as_count(standing["answers"] - standing["gold"], locale),
    }
    return [words[part].format_map(values) for part in ("evidence", "sources")]


def _act(act: Act, locale: Locale) -> list[str]:
    words = _WORDS[locale]
    shown = act.evidence or {}
    values = {
        "name": act.name or words["operator"],
        "reason": act.reason,
        "cause": CAUSES[locale].get(act.cause or "", act.cause or ""),
        "answers": as_count(shown.get("answers", 0), locale),
        "wrong": as_count(shown.get("wrong", 0), locale),
    }
    match act.action:
        case "grant.licence":
            parts = ["granted"]
        case "keep.licence":
            parts = ["kept"]
        case _:
            parts = ["ended", "shown"] if shown.get("answers") else ["ended"]
    return [words[part].format_map(values) for part in parts]
