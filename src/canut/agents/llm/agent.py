"""The agent that asks a language model.

An item is asked about once or several times; what comes back is judged by the question, then by
the checks of the step; what is left says how far it agrees with itself. An answer that fails is
no answer: it is passed on, with the reason as evidence.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from canut.agents.artefact import name_of
from canut.agents.grounding.checks_run import Finding, run
from canut.agents.grounding.spans import ground_answer
from canut.agents.llm.budget import Budget, Charge
from canut.agents.llm.cache import Cache
from canut.agents.llm.client import Client, Said
from canut.agents.llm.confidence import agreement
from canut.agents.llm.logprobs import probability
from canut.agents.llm.models import Model
from canut.agents.llm.prompt import (
    Brief,
    Locale,
    Precedent,
    Prompt,
    brief_of,
    fingerprint,
    item_text,
    visible,
)
from canut.agents.llm.prompt_schema import Unreadable, unwrap
from canut.agents.llm.prompt_similar import Similar
from canut.agents.llm.state import State, pack_state, taught, unpack_state
from canut.agents.llm.words import why
from canut.agents.model import Example, Item, Prediction, Step, Version, digest
from canut.errors import Invalid
from canut.processes.checks import Checks
from canut.questions.base import Localised

NAME = "llm"
#: raised whenever answers may change
CODE = "1"


class Sample(Struct, frozen=True):
    """One reply about an item, judged."""

    #: normalised; None where there is none that may count
    value: Any = None
    #: probability of its least sure value, where the server gives it
    probability: float | None = None
    findings: tuple[Finding, ...] = ()
    #: what failed a check
    proposed: Any = None
    #: why there is no value: a word of `llm_words`
    fault: str = ""
    detail: str = ""
    #: the model that the server says has answered
    model: str = ""


class LanguageModel:
    """A language model as an agent of one step (`canut.agents.protocol.Agent`)."""

    def __init__(
        self,
        step: Step,
        model: Model,
        brief: Brief,
        checks: Checks,
        state: bytes | None,
        budget: Budget,
        cache: Cache,
    ):
        self.step, self.model, self.brief, self.checks = step, model, brief, checks
        self._packed = state or b""
        self._state = unpack_state(state, step) if state else State()
        self._prompt = Prompt(brief)
        self._similar = Similar([item_text(one.item) for one in self._state.precedents])
        self._charges: list[Charge] = []
        self.client = Client(
            model.endpoint, model.prices, model.limits, budget, cache, ledger=self._charges.append
        )
        self._version = self._identity().hash()

    @property
    def version(self) -> Version:
        """Everything that can change what it answers."""
        return self._identity()

    def _identity(self) -> Version:
        place = f"{self.model.endpoint.dialect} {self.model.endpoint.url}"
        learned = name_of(self._packed) if self._packed else ""
        how = [self.model.samples, self.model.temperature, self.model.examples]
        bounds = [self.model.max_tokens, self.model.endpoint.logprobs]
        checks = msgspec.to_builtins(self.checks)
        return Version(
            agent=NAME,
            code=CODE,
            schema=self.step.schema_hash(),
            model=f"{place} {self.model.endpoint.model} {learned}".strip(),
            prompt=digest([fingerprint(self.brief), how, bounds, checks]),
        )

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in their order; not inside of an event loop (`answer_async`).

        An item that could not be answered is passed on. Raises `Unavailable` where none could be:
        a wrong key or address, an unknown model. Rows for the ledger: `take_charges`, also then.
        """
        return asyncio.run(self.answer_async(items))

    async def answer_async(self, items: Sequence[Item]) -> list[Prediction]:
        """The same, to be awaited; cancelling it stops the calls on their way."""
        if not items:
            return []
        found: dict[int, Prediction] = {}
        waiting = iter(enumerate(items))

        async def work() -> None:
            for place, item in waiting:
                found[place] = await self._answer(item)

        try:
            async with self.client, asyncio.TaskGroup() as group:
                for _ in range(min(self.model.limits.concurrency, len(items))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [found[place] for place in range(len(items))]

    def take_charges(self) -> list[Charge]:
        """The rows of the cost ledger since they were last taken; `Charge.item` is `Item.key`."""
        taken = list(self._charges)
        self._charges.clear()
        return taken

    def learn(self, examples: Sequence[Example]) -> bytes:
        """The state with these items as precedents, on top of those it has; of each, only what is
        sent is kept. The newest are kept where there are too many."""
        new = [Precedent(visible(self.brief.fields, e.item.payload), e.value) for e in examples]
        if not new:
            return self._packed
        return pack_state(taught(self._state, new), self.step)

    def calibrated(self, evidence: Sequence[tuple[float, bool]]) -> bytes:
        """The state with a calibration fitted to blind evidence: the `score` in the evidence of a
        prediction, and whether its value was right (`llm_confidence.calibrate`)."""
        return pack_state(self._state.calibrated(evidence), self.step)

    async def _answer(self, item: Item) -> Prediction:
        begun = time.monotonic()
        sent = visible(self.brief.fields, item.payload)
        if not sent:
            return self._passed(item, [Sample(fault="empty")], [], begun, sent)
        near = self._similar.nearest(item_text(sent), self.model.examples)
        precedents = [self._state.precedents[place] for place in reversed(near)]
        try:
            ask = self._prompt.build(
                sent,
                precedents,
                max_tokens=self.model.max_tokens,
                temperature=self.model.temperature,
            )
        except Invalid:
            return self._passed(item, [Sample(fault="long")], [], begun, sent)
        asks = [structs.replace(ask, sample=sample) for sample in range(self.model.samples)]
        said = await asyncio.gather(*(self.client.ask(one, item.key) for one in asks))
        samples = [self._judge(one, sent) for one in said]
        return self._passed(item, samples, said, begun, sent)

    def _judge(self, said: Said, sent: Mapping[str, str]) -> Sample:
        """A reply is worth what is left of it after the question and the checks have looked."""
        if said.reply is None:
            assert said.fault is not None
            return Sample(fault=said.fault.code, detail=said.fault.detail)
        model = said.reply.model
        try:
            raw = unwrap(said.reply.text)
            value = None if raw is None else self.step.question.normalise(raw)
        except Unreadable as error:
            return Sample(fault="unreadable", detail=str(error), model=model)
        except Invalid as error:
            detail = "; ".join(map(str, error.problems[:5]))[:500]
            return Sample(fault="invalid", detail=detail, model=model)
        self.client.keep(said)
        if value is None:
            return Sample(fault="null", model=model)
        findings = run(self.checks, sent, value)
        if findings:
            return Sample(findings=findings, proposed=value, fault="checks", model=model)
        sure = probability(said.reply.text, said.reply.tokens)
        return Sample(value=value, probability=sure, model=model)

    def _passed(
        self,
        item: Item,
        samples: Sequence[Sample],
        said: Sequence[Said],
        begun: float,
        sent: Mapping[str, str],
    ) -> Prediction:
        """The prediction that these samples make, be it none."""
        agreed = agreement(self.step.question, [sample.value for sample in samples])
        evidence: dict[str, Any]
        value, confidence = None, 0.0
        if agreed is None:
            told = next((one for one in samples if one.findings), samples[0])
            evidence = _failure(told)
        else:
            best = samples[agreed.chosen]
            single = len(samples) == 1 and best.probability is not None
            score = best.probability if single and best.probability is not None else agreed.score
            value, confidence = best.value, self._state.calibration(score)
            evidence = {
                "score": score,
                "by": "tokens" if single else "samples",
                "blind": self._state.calibration.evidence,
                "spans": {
                    path: span and msgspec.to_builtins(span)
                    for path, span in ground_answer(value, sent).items()
                },
            }
        charges = [charge for one in said for charge in one.charges]
        evidence |= {"model": samples[0].model or self.model.endpoint.model}
        evidence |= {"samples": len(samples)}
        return Prediction(
            key=item.key,
            value=value,
            confidence=confidence,
            version=self._version,
            stage=NAME,
            evidence=evidence,
            cost_micro=sum(charge.cost for charge in charges),
            currency=self.model.currency,
            latency_ms=round((time.monotonic() - begun) * 1000),
        )


def _failure(sample: Sample) -> dict[str, Any]:
    evidence: dict[str, Any] = {"passed": sample.fault, "why": why(sample.fault)}
    if sample.detail:
        evidence["detail"] = sample.detail
    if sample.findings:
        evidence["findings"] = msgspec.to_builtins(sample.findings)
        evidence["proposed"] = sample.proposed
    return evidence


class LanguageModelType:
    """The agent type of one configured model (`canut.agents.protocol.AgentType`)."""

    name = NAME
    code = CODE
    repeatable = False

    def __init__(
        self,
        model: Model,
        cache: Cache,
        *,
        locale: Locale = "en",
        process: Localised = "",
        fields: Sequence[str] = (),
        checks: Checks = (),
        budget: Budget | None = None,
    ):
        """`locale` is the language of the process and `process` its title; `fields` are those to
        send, all that may be sent if empty; `budget` may be shared by several agents."""
        self.model, self.cache, self.checks = model, cache, checks
        self.process, self.fields = process, fields
        self.locale = locale
        self.budget = budget or Budget(model.budget)

    def load(self, step: Step, state: bytes | None) -> LanguageModel:
        """The model as an agent of this step. Raises `Invalid` where a field may not be sent, or
        the state does not fit."""
        brief = brief_of(step, self.locale, process=self.process, fields=self.fields)
        return LanguageModel(step, self.model, brief, self.checks, state, self.budget, self.cache)
