"""What must hold of an agent's answer, whichever agent gave it: that it is one, and the checks of
its step."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from canut.agents.grounding.checks_run import run
from canut.agents.llm.prompt import visible
from canut.agents.llm.words import why
from canut.agents.model import Item, Prediction, Step
from canut.errors import Invalid


def checked(
    step: Step, items: Sequence[Item], predictions: Sequence[Prediction]
) -> list[Prediction]:
    """The predictions, without the answers that fail a check: these are passed on, with what was
    found, and what was proposed, as evidence. A value stands in an item where a contributor would
    see it. Raises `Invalid` where they are no predictions of these items: the agent is broken, and
    none of them is used."""
    _sound(step, items, predictions)
    if not step.checks:
        return list(predictions)
    seen = [field for field in step.shape.fields if field.show and field.type != "image"]
    return [
        _held(step, visible(seen, item.payload), said)
        for item, said in zip(items, predictions, strict=True)
    ]


def _sound(step: Step, items: Sequence[Item], predictions: Sequence[Prediction]) -> None:
    if [said.key for said in predictions] != [item.key for item in items]:
        raise _broken(
            f"it made {len(predictions)} predictions of {len(items)} items, or in another order"
        )
    for said in predictions:
        # written so that what is no number fails, too
        if not 0 <= said.confidence <= 1:
            raise _broken(f"a confidence of {said.confidence} is no probability")
        if said.value is None:
            continue
        try:
            normal = step.question.normalise(said.value)
        except Invalid as error:
            raise _broken(f"{str(said.value)[:100]!r} does not answer the question") from error
        if msgspec.json.encode(normal) != msgspec.json.encode(said.value):
            raise _broken(f"{str(said.value)[:100]!r} is not as the question normalises it")


def _broken(what: str) -> Invalid:
    return Invalid(
        f"The agent breaks the rules of plug-ins: {what}.",
        mend="try it with canut.agents.conformance.check_agent_type, and mend it",
    )


def _held(step: Step, sources: dict[str, str], said: Prediction) -> Prediction:
    findings = () if said.value is None else run(step.checks, sources, said.value)
    if not findings:
        return said
    told = {
        "passed": "checks",
        "why": why("checks"),
        "findings": msgspec.to_builtins(findings),
        "proposed": said.value,
    }
    return structs.replace(said, value=None, confidence=0.0, evidence=said.evidence | told)
