"""A licence in words, for the contributor, the client and the operator."""

from typing import Any

from canut.quality.figures import Locale, as_count, as_share
from canut.quality.licences import slice_words
from canut.quality.model import Licence

#: capital grows without end once things go wrong; a reader needs no more digits
CAPITAL_SHOWN = 10**6

_WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "person": "In force: {name} may work on this step.",
        "flagged": "Recent blind answers speak against it ({wrong} of {answers} wrong). A person"
        " will look, and nothing changes before that.",
        "earning": "Not in force: people decide everything, and judge {share} of the agent's"
        " answers blind.",
        "collecting": "Confidences are being collected; thresholds are set before any outcome is"
        " looked at.",
        "unproved": "Not yet provable: errors of at most {error} among what it would decide, at"
        " {confidence} confidence. {evidence} blind answers so far, {wrong} wrong.",
        "about": "About {about} more blind answers are needed if it goes on like this, at least"
        " {least}.",
        "least": "At least {least} more blind answers are needed; at the rate of errors so far it"
        " would never be proved.",
        "in_force": "In force: decides alone from a confidence of {threshold} on, about {coverage}"
        " of the work.",
        "proved": "Proved on {evidence} blind answers, {proved_wrong} of them wrong: errors at most"
        " {bound}, at {confidence} confidence, whenever this is read. Allowed are {error}.",
        "unseen": "For some of these one person who agreed was enough. As far as is known, {unseen}"
        " of the errors went unseen by it, which is allowed for.",
        "watched": "{share} of its tasks go to people too, blind, for ever: {answers} so far,"
        " {wrong} wrong. It ends at once when the evidence against it reaches {bar}; now it"
        " stands at {capital}.",
        "more": "For the next lower threshold, about {about} more blind answers are needed.",
        "ended_granted": "Ended: the threshold was proved, and the next version holds it.",
        "ended_widened": "Ended: a lower threshold was proved, and the next version holds it.",
        "ended_narrowed": "Ended: errors seemed to become more, so the next version decides less"
        " alone.",
        "ended_revoked": "Ended by evidence: errors became likelier than allowed. The work went"
        " back to people, and the licence must be earned anew.",
        "ended_superseded": "Ended: another version took its place.",
        "ended": "Ended by a person: {reason}",
    },
    "fr": {
        "person": "En vigueur : {name} peut travailler à cette étape.",
        "flagged": "Des réponses récentes, données à l’aveugle, plaident contre elle ({wrong}"
        " fausses sur {answers}). Une personne va regarder, et rien ne change avant cela.",
        "earning": "Pas en vigueur : des personnes décident de tout, et jugent à l’aveugle {share}"
        " des réponses de l’agent.",
        "collecting": "Les confiances sont recueillies ; les seuils sont fixés avant que le moindre"
        " résultat soit regardé.",
        "unproved": "Pas encore prouvable : au plus {error} d’erreurs parmi ce qu’il déciderait,"
        " avec une confiance de {confidence}. {evidence} réponses à l’aveugle jusqu’ici, dont"
        " {wrong} fausses.",
        "about": "Il faut encore environ {about} réponses à l’aveugle si cela continue ainsi, au"
        " moins {least}.",
        "least": "Il faut encore au moins {least} réponses à l’aveugle ; au taux d’erreur actuel,"
        " la preuve ne viendrait jamais.",
        "in_force": "En vigueur : décide seul à partir d’une confiance de {threshold}, soit environ"
        " {coverage} du travail.",
        "proved": "Prouvé sur {evidence} réponses à l’aveugle, dont {proved_wrong} fausses : au"
        " plus {bound} d’erreurs, avec une confiance de {confidence}, quel que soit le moment de la"
        " lecture. Sont permis {error}.",
        "unseen": "Pour une partie d’entre elles, une personne du même avis a suffi. Pour autant"
        " qu’on le sache, {unseen} des erreurs sont ainsi passées inaperçues, ce dont il est tenu"
        " compte.",
        "watched": "{share} de ses tâches vont aussi à des personnes, à l’aveugle, pour toujours :"
        " {answers} jusqu’ici, dont {wrong} fausses. La licence prend fin dès que la preuve contre"
        " elle atteint {bar} ; elle en est à {capital}.",
        "more": "Pour le seuil inférieur suivant, il faut encore environ {about} réponses à"
        " l’aveugle.",
        "ended_granted": "Terminée : le seuil a été prouvé, la version suivante le détient.",
        "ended_widened": "Terminée : un seuil plus bas a été prouvé, la version suivante le"
        " détient.",
        "ended_narrowed": "Terminée : les erreurs semblaient augmenter, la version suivante décide"
        " moins seule.",
        "ended_revoked": "Terminée par la preuve : les erreurs sont devenues plus probables que"
        " permis. Le travail est revenu aux personnes, et la licence doit être regagnée.",
        "ended_superseded": "Terminée : une autre version a pris sa place.",
        "ended": "Terminée par une personne : {reason}",
    },
}


def sentences(licence: Licence, name: str, locale: Locale) -> list[str]:
    """What a licence is, what it rests on and what is missing; one or two sentences each."""
    if licence.slices is not None:
        if licence.state != "ended":
            return slice_words.sentences(licence, locale)
        ended = slice_words.ended(licence.reason, locale)
        if ended is not None:
            return [ended]
    words, values = _WORDS[locale], _values(licence, name, locale)
    return [words[part].format_map(values) for part in _parts(licence)]


def _parts(licence: Licence) -> list[str]:
    if licence.state == "ended":
        known = f"ended_{licence.reason}"
        return [known if known in _WORDS["en"] else "ended"]
    if licence.threshold is None and licence.state == "in_force":
        return ["person"] + (["flagged"] if licence.flagged_ms is not None else [])
    if licence.state == "in_force":
        missing = (licence.finding or {}).get("shortfall")
        more = ["more"] if missing and missing["about"] else []
        one = ["unseen"] if licence.finding and licence.finding.get("unseen") else []
        watched = ["watched"] if licence.standing else []
        return ["in_force", "proved", *one, *watched, *more]
    if not licence.finding:
        return ["earning", "collecting"]
    missing = licence.finding.get("shortfall")
    parts = ["earning", "unproved"]
    return parts + (["about" if missing["about"] is not None else "least"] if missing else [])


def _values(licence: Licence, name: str, locale: Locale) -> dict[str, str]:
    finding: dict[str, Any] = licence.finding or {}
    standing: dict[str, Any] = licence.standing or {}
    missing: dict[str, Any] = finding.get("shortfall") or {}
    proved = licence.state == "in_force"
    # before anything is proved the figures are of the rung that comes next
    counts = finding if proved or not missing else missing
    watched = standing if standing else counts
    return {
        "name": name,
        "reason": licence.reason,
        "share": as_share(licence.stream_ppm / 1_000_000, locale),
        "error": as_share(licence.error_max, locale),
        "confidence": as_share(1 - licence.delta, locale),
        "threshold": as_share(licence.threshold or 0.0, locale),
        "coverage": as_share(finding.get("coverage", 0.0), locale),
        "bound": as_share(finding.get("bound", 1.0), locale, up=True),
        "unseen": as_share(finding.get("unseen", 0.0), locale, up=True, places=1),
        "evidence": as_count(counts.get("audits", 0), locale),
        "answers": as_count(watched.get("answers", 0), locale),
        "proved_wrong": as_count(finding.get("wrong", 0), locale),
        "wrong": as_count(watched.get("wrong", 0), locale),
        "capital": as_count(round(min(standing.get("capital", 1.0), CAPITAL_SHOWN)), locale),
        "bar": as_count(round(licence.version * (licence.version + 1) / licence.delta), locale),
        "about": as_count(missing.get("about") or 0, locale),
        "least": as_count(missing.get("least", 0), locale),
    }
