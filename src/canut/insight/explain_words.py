"""Explanations in words, in English and French: for the client, and for a contributor."""

from typing import Literal

from canut.insight.explain_texts import ENGLISH, FRENCH
from canut.insight.story_model import Explanation, Facts, HeardAnswer, OwnAnswer, Version
from canut.quality.beliefs.model import Bin
from canut.quality.figures import Locale, as_belief, as_count, as_share
from canut.quality.licences.slice_words import named, told_by
from canut.questions.base import Question

#: fewer than this measured: the share is told with the warning that it is rough
ROUGH_BELOW = 100
#: answers of a course that are told one by one; of longer ones, the first, and the last few
TOLD_MAX = 6

_WORDS: dict[Locale, dict[str, str]] = {"en": ENGLISH, "fr": FRENCH}
#: values that are beliefs, never certain
_BELIEFS = {"confidence", "belief", "ends", "stated", "skill"}
_QUOTES: dict[Locale, str] = {"en": "“{}”", "fr": "«\u00a0{}\u00a0»"}

Part = Literal["decision", "answers", "course", "why", "worth", "before"]


def told(explanation: Explanation, question: Question, locale: Locale) -> dict[Part, list[str]]:
    """The explanation for a client, in sentences, by what they are about. Contributors have
    letters, never names."""
    said = _Said(question, locale)
    decided = explanation.decided
    parts: dict[Part, list[str]] = {
        "decision": [said("decided", value=decided.value, confidence=decided.confidence)],
        "answers": [_answer(said, one) for one in explanation.answers],
        "course": _course(said, explanation),
        "why": _why(said, explanation),
        "worth": [_worth(said, explanation.calibration)] if decided.method != "licence" else [],
        "before": [],
    }
    later = decided
    for one in reversed(explanation.before):
        parts["before"].append(_before(said, one, later))
        later = one
    return parts


def held_back_told(facts: Facts, question: Question, locale: Locale) -> list[str]:
    """What agents proposed and a check of the step held back, in sentences."""
    said = _Said(question, locale)
    return [
        said(
            "held_back" if one.family else "held_back_alone",
            family=one.family or "",
            value=one.value,
            why="; ".join(finding.text.get(locale, "") for finding in one.findings),
        )
        for one in facts.held_back
    ]


def own_told(own: OwnAnswer, locale: Locale) -> list[str]:
    """What became of a contributor's own answer: nothing of anybody else's."""
    said = _Said(own.question, locale)
    sentences = [said("own", value=own.value)]
    decided = own.decision
    if decided is None or own.agreement is None:
        return [*sentences, said("own_open")]
    sentences.append(said("own_decided", value=decided.value, confidence=decided.confidence))
    odds = round(1 / max(1 - decided.confidence, 1e-3))
    if own.agreement >= 1:
        sentences.append(said("own_same"))
    elif own.agreement > 0:
        sentences.append(said("own_near", agreement=own.agreement))
    else:
        doubtful = 2 <= odds <= 200
        sentences.append(said("own_other", odds=odds) if doubtful else said("own_other_sure"))
    how = _ended(decided.method, decided.confidence, own.target)
    return [*sentences, said(f"own_{how}", n=decided.n_answers, target=own.target)]


def _ended(method: str, confidence: float, target: float) -> str:
    """How it was decided, and whether the answers fell short of the target of one decision."""
    short = method == "answers" and confidence < target - 1e-6
    return "answers_short" if short else method


class _Said:
    """A sentence with its values as a reader of the language writes them."""

    def __init__(self, question: Question, locale: Locale) -> None:
        self.question, self.locale = question, locale

    def __call__(self, part: str, **values: object) -> str:
        written = {name: self._written(name, value) for name, value in values.items()}
        return _WORDS[self.locale][part].format_map(written)

    def _written(self, name: str, value: object) -> str:
        if name.startswith("value"):
            return _QUOTES[self.locale].format(self.question.describe(value, self.locale))
        if isinstance(value, float):
            if name in _BELIEFS:
                return as_belief(value, self.locale)
            if name == "threshold":
                return as_share(value, self.locale, down=True, places=1)
            # a bound is never rounded to its favour; of the others a tenth of a percent is enough
            up = name == "bound"
            return as_share(value if up else round(value, 3), self.locale, up=up)
        return as_count(value, self.locale) if isinstance(value, int) else str(value)


def _answer(said: _Said, one: HeardAnswer) -> str:
    kind: str = "expert" if one.expert else "played" if one.simulated else one.kind
    if kind == "agent" and not one.family:
        kind = "agent_alone"
    sentences = [said(kind, name=one.name, value=one.value, family=one.family or "")]
    if one.stated is not None:
        sentences.append(said("stated", stated=one.stated))
    if one.skill is None:
        sentences.append(said("skill_lost", name=one.name))
    else:
        part = "skill" if one.judged else "skill_new"
        sentences.append(said(part, name=one.name, skill=one.skill, judged=one.judged))
    if one.weight < 1:
        sentences.append(said("weight", weight=one.weight))
    return " ".join(sentences)


def _course(said: _Said, explanation: Explanation) -> list[str]:
    found = explanation.course
    method = explanation.decided.method
    if method in ("licence", "panel"):
        return []
    points = found.points[:-1] if method == "expert" else found.points
    if not points:
        return []
    told = range(len(points))
    chosen = [n for n in told if n == 0 or n >= len(points) - TOLD_MAX + 1]
    sentences = [
        said("next", n=n + 1, value=points[n].value, belief=points[n].belief)
        if n
        else said("first", value=points[n].value, belief=points[n].belief)
        for n in chosen
    ]
    if method == "expert":
        return [*sentences, said("ordinary")]
    if explanation.seconded:
        return sentences
    if found.exact:
        return [*sentences, said("exact")]
    ending = said("rough", ends=found.ends, confidence=explanation.decided.confidence)
    return [*sentences, ending]


def _why(said: _Said, explanation: Explanation) -> list[str]:
    decided, target = explanation.decided, explanation.target
    n, confidence = decided.n_answers, decided.confidence
    if explanation.seconded:
        return [said("seconded")]
    if decided.method == "answers":
        how = _ended(decided.method, confidence, target)
        return [said(how, confidence=confidence, target=target)]
    if decided.method == "licence":
        return _licensed(said, explanation)
    part = {"expert": "by_expert", "exhausted": "exhausted", "panel": "panel"}[decided.method]
    return [said(part, n=n, target=target)]


def _licensed(said: _Said, explanation: Explanation) -> list[str]:
    held = explanation.licence
    if held is None:
        return [said("licence_lost")]
    stated = next((one.stated for one in explanation.answers if one.stated is not None), 1.0)
    sentences = [said("licence", version=held.version, threshold=held.threshold, stated=stated)]
    if held.slices:
        slice_name = named(held.slice_name, said.locale)
        by = told_by(held.slices["by"], said.locale)
        sentences.append(said("licence_slice", slice=slice_name, by=by))
    if held.finding:
        values = {
            "audits": int(held.finding["audits"]),
            "wrong": int(held.finding["wrong"]),
            "bound": float(held.finding["bound"]),
            "confidence": 1 - held.delta,
            "error": held.error_max,
        }
        sentences.append(said("licence_proof", **values))
    return sentences


def _worth(said: _Said, calibration: Bin | None) -> str:
    if calibration is None:
        return said("uncalibrated")
    part = "calibrated" if calibration.n >= ROUGH_BELOW else "calibrated_rough"
    right = round(100 * calibration.right)
    about = said("about", right=right) if right < 100 else said("nearly_all")
    return said(part, about=about, n=calibration.n)


def _before(said: _Said, one: Version, later: Version) -> str:
    return said("before", value=one.value, value_now=later.value, confidence=one.confidence)
