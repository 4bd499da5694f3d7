"""An exam in words: what the answers show, what passing needs, what comes next."""

from canut.quality.exams.values import Mistakes, Result
from canut.quality.figures import Locale, as_share
from canut.questions.base import localise

#: why an exam is offered
WHY: dict[str, str] = {
    "en": "This step asks for a licence. Passing the exam gives it to you.",
    "fr": "Cette étape demande une licence. Réussir l’examen vous la donne.",
}

_WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "running": "Answered so far: {answered}, of {most} at most. The exam ends as soon as it is"
        " clear whether you are right often enough.",
        "right": "You had {right} of {answered} right.",
        "none": "No answer was given.",
        "proved": "That proves, with {confidence} confidence, that you are right at least {proved}"
        " of the time; passing proves {level}.",
        "passed": "Passed: you may work on this step.",
        "failed": "Not passed: so many mistakes are very unlikely for somebody who is right {good}"
        " of the time, which this exam is made for.",
        "spent": "Not passed: after {answered} questions it was not clear whether you are right"
        " often enough. You were not far: read the instructions again before the next try.",
        "abandoned": "Not passed: nothing was answered for a day, so the exam ended.",
        "corrected": "This result was corrected: a question that had counted against you turned out"
        " to be a bad one.",
        "unfair": "A question that had counted against you turned out to be a bad one. Without it"
        " the exam is not failed: you may take the next one at once.",
        "field": "Often wrong: “{about}” ({count} times).",
        "too_high": "Your answer was too high {count} times.",
        "too_low": "Your answer was too low {count} times.",
        "left_out": "Something was left out {count} times.",
        "too_many": "Something was chosen that does not belong there {count} times.",
        "group": "Often wrong where you answered something under “{about}” ({count} times).",
        "secret": "The right answers stay secret, so that the questions can be asked again.",
    },
    "fr": {
        "running": "Réponses données : {answered}, sur {most} au plus. L’examen se termine dès"
        " qu’il est clair que vous répondez juste assez souvent, ou non.",
        "right": "Vous avez {right} réponses justes sur {answered}.",
        "none": "Aucune réponse n’a été donnée.",
        "proved": "Cela prouve, avec une confiance de {confidence}, que vous répondez juste dans au"
        " moins {proved} des cas ; réussir en prouve {level}.",
        "passed": "Réussi : vous pouvez travailler à cette étape.",
        "failed": "Non réussi : autant d’erreurs sont très improbables chez quelqu’un qui répond"
        " juste dans {good} des cas, le niveau que vise cet examen.",
        "spent": "Non réussi : après {answered} questions, il n’était pas clair que vous répondiez"
        " juste assez souvent. Vous n’étiez pas loin : relisez les consignes avant le prochain"
        " essai.",
        "abandoned": "Non réussi : aucune réponse pendant une journée, l’examen a donc pris fin.",
        "corrected": "Ce résultat a été corrigé : une question qui avait compté contre vous s’est"
        " révélée mauvaise.",
        "unfair": "Une question qui avait compté contre vous s’est révélée mauvaise. Sans elle,"
        " l’examen n’est pas échoué : vous pouvez passer le suivant tout de suite.",
        "field": "Souvent faux : « {about} » ({count} fois).",
        "too_high": "Votre réponse était trop élevée {count} fois.",
        "too_low": "Votre réponse était trop basse {count} fois.",
        "left_out": "Il manquait quelque chose {count} fois.",
        "too_many": "Il y avait un choix de trop {count} fois.",
        "group": "Souvent faux quand vous répondiez sous « {about} » ({count} fois).",
        "secret": "Les bonnes réponses restent secrètes, pour que les questions puissent"
        " resservir.",
    },
}


def sentences(result: Result, locale: Locale) -> list[str]:
    """What the exam shows, a sentence or two each. Bounds are rounded down."""
    exam, said = result.exam, result.verdict
    values = {
        "answered": said.answered,
        "right": said.right,
        "most": exam.rules.most,
        "proved": as_share(said.proved, locale, down=True, places=0),
        "level": as_share(exam.rules.level, locale, places=0),
        "good": as_share(exam.rules.good, locale, places=0),
        "confidence": as_share(1 - exam.rules.false_pass, locale, places=0),
    }
    words = _WORDS[locale]
    if exam.state == "running":
        return [words["running"].format_map(values)]
    parts = [_outcome(result), "right" if said.answered else "none"]
    parts += ["proved"] if said.proved >= 0.01 else []
    parts += ["corrected"] if exam.corrected_ms and exam.state == "passed" else []
    told = [words[part].format_map(values) for part in parts]
    told += [_mistake(one, locale) for one in result.mistakes]
    return [*told, words["secret"]]


def _outcome(result: Result) -> str:
    exam, said = result.exam, result.verdict
    if exam.state in ("passed", "abandoned"):
        return exam.state
    if exam.corrected_ms is not None:
        return "unfair"
    return "spent" if said.spent else "failed"


def _mistake(one: Mistakes, locale: Locale) -> str:
    about = localise(one.about, locale)
    return _WORDS[locale][one.kind].format(about=about, count=one.count)
