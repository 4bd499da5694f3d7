"""What must hold of an agent's answer, whichever agent gave it: the checks of its step."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from canut.agents.grounding.checks_run import run
from canut.agents.llm.prompt import visible
from canut.agents.llm.words import why
from canut.agents.model import Item, Prediction, Step


def checked(
    step: Step, items: Sequence[Item], predictions: Sequence[Prediction]
) -> list[Prediction]:
    """The predictions, without the answers that fail a check: these are passed on, with what was
    found, and what was proposed, as evidence. A value stands in an item where a contributor would
    see it."""
    if not step.checks:
        return list(predictions)
    seen = [field for field in step.shape.fields if field.show and field.type != "image"]
    return [
        _held(step, visible(seen, item.payload), said)
        for item, said in zip(items, predictions, strict=True)
    ]


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
