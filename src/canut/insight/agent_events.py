"""What happened to an agent, in words: a title, a sentence, and how it is to be taken."""

from typing import Any, Literal

from msgspec import Struct

from canut.agents.running.model import AgentEvent
from canut.quality.figures import Locale, as_count, as_share
from canut.truth.designs import PPM

#: as of a tag: nothing to mind, something is going on, good, to be minded, bad
Tone = Literal["", "busy", "good", "mind", "bad"]


class Told(Struct, frozen=True):
    """An event as a page tells it."""

    title: str
    #: with figures; may be empty
    text: str
    tone: Tone
    at_ms: int


_TONES: dict[str, Tone] = {
    "replaced": "busy",
    "challenge": "busy",
    "promoted": "good",
    "dropped": "",
    "rolled_back": "bad",
    "canary": "good",
    "drift": "mind",
    "calm": "good",
    "order": "",
    "not_asked": "mind",
    "calendar": "mind",
    "trouble": "bad",
    "waits": "mind",
    "exam": "",
    "lesson": "",
}

_TITLES: dict[Locale, dict[str, str]] = {
    "en": {
        "replaced": "A new version took over",
        "challenge": "A challenger began",
        "promoted": "The challenger took over",
        "dropped": "The challenger was dropped",
        "rolled_back": "The version before came back",
        "canary": "The canary decides more",
        "drift": "Its work seems to change",
        "calm": "It is calmer again",
        "order": "Its turn was measured",
        "not_asked": "It is not asked for now",
        "calendar": "Its model ends",
        "trouble": "Something was wrong",
        "waits": "It waits",
        "exam": "It sat the exam",
        "lesson": "A lesson that changed nothing",
    },
    "fr": {
        "replaced": "Une nouvelle version a pris la suite",
        "challenge": "Un rival est entré en lice",
        "promoted": "Le rival a pris la suite",
        "dropped": "Le rival a été écarté",
        "rolled_back": "La version précédente est revenue",
        "canary": "Le canari décide davantage",
        "drift": "Son travail semble changer",
        "calm": "Le calme revient",
        "order": "Son tour a été mesuré",
        "not_asked": "Il n’est pas interrogé pour l’instant",
        "calendar": "Son modèle s’arrête",
        "trouble": "Quelque chose n’allait pas",
        "waits": "Il attend",
        "exam": "Il a passé l’examen",
        "lesson": "Une leçon qui n’a rien changé",
    },
}

_WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "learned": "Learned from {examples} examples.",
        "worth": "Right on {right} of the newest, which were held back; it might decide {coverage}"
        " of the work.",
        "pairs": "{judged} pairs: the champion alone was wrong in {won}, the challenger alone in"
        " {lost}.",
        "canary": "From {before} to {after} of its tasks, after {answers} blind answers, {wrong} of"
        " them wrong.",
        "exam": "{right} of {of} right.",
        "ends": "{model} ends on {shutdown}.",
        "step": "From “{before}” to “{after}”: {did}.",
    },
    "fr": {
        "learned": "A appris de {examples} exemples.",
        "worth": "Juste sur {right} des plus récents, mis de côté\u202f; pourrait"
        " décider {coverage} du travail.",
        "pairs": "{judged} paires\u00a0: le titulaire seul s’est trompé {won} fois, le rival seul"
        " {lost} fois.",
        "canary": "De {before} à {after} de ses tâches, après {answers} réponses à l’aveugle, dont"
        " {wrong} fausses.",
        "exam": "{right} justes sur {of}.",
        "ends": "{model} s’arrête le {shutdown}.",
        "step": "De «\u00a0{before}\u00a0» à «\u00a0{after}\u00a0»\u00a0: {did}.",
    },
}

#: steps of the watch over drift (`canut.agents.arena.drift.STEPS`)
STEP_NAMES: dict[Locale, dict[str, str]] = {
    "en": {
        "steady": "as usual",
        "threshold": "surer",
        "people": "more people",
        "retrain": "a lesson",
        "challenge": "a challenger",
        "revoke": "the licence at stake",
    },
    "fr": {
        "steady": "comme d’habitude",
        "threshold": "plus sûr",
        "people": "plus de personnes",
        "retrain": "une leçon",
        "challenge": "un rival",
        "revoke": "la licence en jeu",
    },
}

#: what the record says in English: reasons of versions, of duels, of reactions to drift
_FRENCH = {
    "learned more": "il a appris davantage",
    "its model, its settings or the words of the step were changed": "son modèle, ses réglages ou"
    " les mots de l’étape ont changé",
    "a newer one took its place": "un plus récent a pris sa place",
    "evidence ended the licence of the one that replaced it": "les preuves ont mis fin à la licence"
    " de celle qui l’avait remplacée",
    "its stream as a canary is proved to err more often than it may": "il est prouvé qu’elle se"
    " trompait, comme canari, plus souvent que permis",
    "the model before it has ended": "le modèle précédent s’est arrêté",
    "its own evidence proves a licence, which the champion has not": "ses propres preuves valent"
    " une licence, que le titulaire n’a pas",
    "proved to decide more": "il est prouvé qu’il décide davantage",
    "proved to be wrong less often": "il est prouvé qu’il se trompe moins souvent",
    "cheaper, and proved not to be wrong more often than agreed": "moins cher, et il est prouvé"
    " qu’il ne se trompe pas plus souvent que convenu",
    "proved to be wrong more often than agreed": "il est prouvé qu’il se trompe plus souvent que"
    " convenu",
    "nothing proved in the time agreed": "rien n’est prouvé dans le temps convenu",
    "nothing proved yet": "rien n’est encore prouvé",
    "it decides nothing alone": "il ne décide rien seul",
    "the threshold was raised": "le seuil a été relevé",
    "it has no licence": "il n’a pas de licence",
    "people answer as much blind already": "on vérifie déjà autant à l’aveugle",
    "people answer more of its tasks blind": "on vérifie davantage de ses tâches à l’aveugle",
    "evidence revoked the licence": "les preuves ont mis fin à la licence",
    "evidence does not revoke the licence": "les preuves ne mettent pas fin à la licence",
    "calm again": "le calme est revenu",
    "calm again: people answer as much as the evidence asks for": "le calme est revenu\u00a0: on"
    " vérifie autant que les preuves le demandent",
    "it knows all there is to learn from, or is being taught this moment": "il sait tout ce qu’il y"
    " a à apprendre, ou une leçon est en cours",
    "another version took over": "une autre version a pris la suite",
    "a lesson is due as soon as there is a tenth more to learn from": "une leçon est due dès"
    " qu’il y aura un dixième de plus à apprendre",
    "a lesson is due at once, from what was decided since the first alarm": "une leçon est due"
    " aussitôt, à partir de ce qui fut décidé depuis la première alarme",
}

#: why decided items were not learned from -> for people
LEFT_OUT: dict[Locale, dict[str, str]] = {
    "en": {},
    "fr": {
        "decided by an agent": "décidés par un agent",
        "late copies": "copies tardives",
        "like evidence": "semblables à des preuves",
    },
}


def said(text: str, locale: Locale) -> str:
    """A reason of the record in this language; as it is where nobody knows it."""
    return _FRENCH.get(text, text) if locale == "fr" else text


def tells(event: AgentEvent) -> bool:
    """Whether it is worth a line: that nothing could be measured yet is not."""
    return event.kind != "order" or event.detail.get("reason") not in ("placed", "measuring")


def told(event: AgentEvent, locale: Locale) -> Told:
    """One event."""
    detail = event.detail
    kind = _kind(event)
    title = _TITLES[locale].get(kind, kind)
    parts = [_sentence(said(str(detail.get("why", "")), locale)), *_figures(event, locale)]
    return Told(title, " ".join(p for p in parts if p), _TONES.get(kind, ""), event.at_ms)


def _kind(event: AgentEvent) -> str:
    detail = event.detail
    if event.kind == "drift" and detail.get("after") == "steady":
        return "calm"
    if event.kind == "order" and not detail.get("asked", True):
        return "not_asked"
    return event.kind


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _figures(event: AgentEvent, locale: Locale) -> list[str]:
    words, detail = _WORDS[locale], event.detail
    if event.kind in ("replaced", "challenge"):
        return _learned(detail, locale)
    if "pairs" in detail:
        pairs = {name: as_count(int(n), locale) for name, n in detail["pairs"].items()}
        return [words["pairs"].format_map(pairs)]
    if event.kind == "canary":
        shares = (detail["share_ppm"], detail["next_ppm"])
        before, after = (as_share(share / PPM, locale) for share in shares)
        seen = {name: as_count(detail[name], locale) for name in ("answers", "wrong")}
        return [words["canary"].format(before=before, after=after, **seen)]
    if event.kind == "drift":
        names = {key: STEP_NAMES[locale][detail[key]] for key in ("before", "after")}
        did = said(str(detail.get("did", "")), locale)
        return [words["step"].format(**names, did=did)]
    if event.kind == "exam" and "of" in detail:
        return [words["exam"].format(right=detail["right"], of=detail["of"])]
    if event.kind == "calendar":
        return [words["ends"].format(model=detail["model"], shutdown=detail["shutdown"])]
    return []


def _learned(detail: dict[str, Any], locale: Locale) -> list[str]:
    words, examples = _WORDS[locale], int(detail.get("examples", 0))
    if not examples:
        return []
    found = [words["learned"].format(examples=as_count(examples, locale))]
    if detail.get("right"):
        right, coverage = (as_share(float(detail[key]), locale) for key in ("right", "coverage"))
        found.append(words["worth"].format(right=right, coverage=coverage))
    return found
