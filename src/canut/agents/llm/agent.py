"""The agent that asks a language model.

An item is asked about once or several times; what comes back is judged by the question, then by
the checks of the step; what is left says how far it agrees with itself. An answer that fails is
no answer: it is passed on, with the reason as evidence.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct, structs

from canut.agents.artefact import name_of
from canut.agents.grounding.checks_run import Finding, run
from canut.agents.grounding.spans import ground_answer
from canut.agents.llm.books import Books
from canut.agents.llm.budget import Charge
from canut.agents.llm.client import Client, Said
from canut.agents.llm.confidence import agreement
from canut.agents.llm.logprobs import probability
from canut.agents.llm.models import Model
from canut.agents.llm.prompt import (
    Brief,
    Precedent,
    Prompt,
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

NAME = "llm"
#: raised whenever answers may change
CODE = "2"
#: faults that are the server's, where it has them with every item
_UNHEARD = frozenset({"busy", "late", "lost"})


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
        state: bytes | None,
        books: Callable[[str], Books],
    ):
        self.step, self.model, self.brief = step, model, brief
        self._packed = state or b""
        self._state = unpack_state(state, step) if state else State()
        self._prompt = Prompt(brief)
        self._similar = Similar([item_text(one.item) for one in self._state.precedents])
        self._charges: list[Charge] = []
        self._version = self._identity().hash()
        self.client = Client(
            model.endpoint,
            model.prices,
            model.limits,
            books(self._version),
            ledger=self._charges.append,
        )

    @property
    def version(self) -> Version:
        """Everything that can change what it answers."""
        return self._identity()

    def _identity(self) -> Version:
        place = f"{self.model.endpoint.dialect} {self.model.endpoint.url}"
        learned = name_of(self._packed) if self._packed else ""
        how = [self.model.samples, self.model.temperature, self.model.examples]
        bounds = [self.model.max_tokens, self.model.endpoint.logprobs]
        return Version(
            agent=NAME,
            code=CODE,
            schema=self.step.schema_hash(),
            model=f"{place} {self.model.endpoint.model} {learned}".strip(),
            prompt=digest([fingerprint(self.brief), how, bounds]),
        )

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in their order; not inside of an event loop (`answer_async`).

        An item that could not be answered is passed on; one that could not be asked about now, for
        want of money or of a server, is marked `later`. Raises `Unavailable` where none ever could
        be: a wrong key or address, an unknown model. Rows of the ledger: `take_charges`, also then.
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
        said = [found[place] for place in range(len(items))]
        heard = any(one.evidence.get("passed") not in _UNHEARD for one in said)
        return [self._later(one, self.client.given_up or not heard) for one in said]

    def _later(self, one: Prediction, down: bool) -> Prediction:
        """Marked, where the reason is none of the item's: money, or a server that says nothing."""
        fault = one.evidence.get("passed")
        for_good = one.evidence.get("detail") == "batch"
        if (fault == "budget" and not for_good) or (down and fault in _UNHEARD):
            return structs.replace(one, later=True)
        return one

    def take_charges(self) -> list[Charge]:
        """The rows of the cost ledger since they were last taken; `Charge.item` is `Item.key`."""
        taken = list(self._charges)
        self._charges.clear()
        return taken

    def learn(self, examples: Sequence[Example]) -> bytes:
        """The state with these items as precedents, on top of those it has; of each, only what is
        sent is kept. The newest are kept where there are too many."""
        new = [
            Precedent(visible(self.brief.fields, e.item.payload), e.value, e.item.client)
            for e in examples
        ]
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
        precedents = self._precedents(item, sent)
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

    def _precedents(self, item: Item, sent: Mapping[str, str]) -> list[Precedent]:
        """The decided items most like this one, the most alike last; of its own client, or
        nobody's: no client's items are sent to a model on behalf of another."""
        near = self._similar.nearest(item_text(sent), len(self._state.precedents))
        known = (self._state.precedents[place] for place in near)
        own = (one for one in known if one.client in (0, item.client))
        return list(islice(own, self.model.examples))[::-1]

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
        if value is None:
            return Sample(fault="null", model=model)
        findings = run(self.step.checks, sent, value)
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
        cached = sum(charge.basis == "cache" for charge in charges)
        evidence |= {"cached": cached} if cached else {}
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
    evidence: dict[str, Any] = {"passed": sample.fault, "why": why(sample.fault, sample.detail)}
    if sample.detail:
        evidence["detail"] = sample.detail
    if sample.findings:
        evidence["findings"] = msgspec.to_builtins(sample.findings)
        evidence["proposed"] = sample.proposed
    return evidence
