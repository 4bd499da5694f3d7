"""What agents save: a real data set through the real engine, with simulated contributors.

    python -m bench.effort --data FILE --text COL --label COL --error 0.02 [--seeds N] [--limit N]

Rows (several --data files are one stream, shuffled by the seed) become one batch of a choice
question. People who err at a stated rate answer, agents learn from what was decided, earn licences,
decide alone; experts settle what is contested, auditors answer what is drawn. Everything goes
through PostgreSQL and the engine's own passes, called one after the other instead of over HTTP.
`--random-labels` shuffles the labels: nothing can be proved, so agents must decide nothing.
The last line is one JSON object; of several seeds, means, and how many kept the promise.
"""

import argparse
import csv
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# CPU seconds of spinning helper threads would be counted
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import psycopg
from msgspec import Struct

from bench import effort_baselines, effort_ledger, effort_people, house
from canut.agents import store
from canut.agents.arena import duels
from canut.agents.arena import store as store_arena
from canut.agents.registry import agent_type
from canut.agents.running import runner
from canut.agents.running.hands import OwnHands
from canut.agents.running.verbs import NewAgent, put_to_work
from canut.agents.teaching import teaching
from canut.db.migrate import migrate
from canut.db.pool import PREPARE_AFTER, SyncConn
from canut.db.server import EmbeddedServer
from canut.engine.audits import advance
from canut.engine.loop import one_pass
from canut.engine.schema import job_scripts
from canut.errors import CanutError
from canut.people.store import COMMAND_LINE
from canut.processes.model import ItemField, ItemShape, ProcessDefinition, Promise, StepDefinition
from canut.processes.store import publish
from canut.quality.audits.draws import new_seed
from canut.quality.beliefs.sweep import sweep_due
from canut.quality.licences import store as store_licences
from canut.quality.licences import words as licence_words
from canut.quality.licences.licensing import review_due
from canut.work.intake import add_items, one_block, open_batch
from canut.work.tasks import Steps

#: tasks that people answer before the engine and the agents have their turn: an engine looks every
#: five seconds, and a crowd of hundreds gives as much meanwhile
PEOPLE_PER_ROUND = 40
#: rounds between sweeps; licences, lessons and duels are looked at in each, as an engine does
SWEEP_EVERY = 5
#: points of the curve that are printed
POINTS = 80


class Plan(Struct, frozen=True):
    """What is measured."""

    rows: list[tuple[str, str]]
    error: float
    people: int
    person_error: float
    expert_error: float
    agents: list[str]


class Run(Struct):
    """One seed, while it goes on."""

    plan: Plan
    conn: SyncConn
    seed: int
    now: int = 1_800_000_000_000
    batch: int = 0
    process: int = 0
    definition: ProcessDefinition | None = None
    #: items decided, human answers so far
    curve: list[tuple[int, int]] = []

    def clock(self) -> int:
        """Simulated: a millisecond later at each look, a minute at each round."""
        self.now += 1
        return self.now


def read(files: Sequence[Path], text: str, label: str) -> list[tuple[str, str]]:
    """Texts with their labels. Ends the program with what is wrong where they cannot be read."""
    rows = []
    for file in files:
        try:
            with file.open(newline="", encoding="utf-8-sig") as lines:
                table = csv.DictReader(lines)
                there = table.fieldnames or []
                for name in (text, label):
                    if name not in there:
                        columns = ", ".join(there)
                        raise SystemExit(f"{file} has no column {name!r}; it has: {columns}")
                rows += [(row[text] or "", row[label] or "") for row in table]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SystemExit(f"{file} cannot be read: {error}") from error
    if not rows:
        raise SystemExit("There are no rows.")
    return rows


def define(plan: Plan) -> ProcessDefinition:
    """One choice between all labels."""
    labels = sorted({label for _, label in plan.rows})
    question = {
        "type": "choice",
        "title": "Which?",
        "options": [{"value": label, "label": label} for label in labels],
    }
    step = StepDefinition(
        "label",
        "Label",
        question,
        {"en": "Choose."},
        min_answers=1,
        max_answers=5,
        target_confidence=1 - plan.error,
        skills=("label",),
        expert_skill="label-expert",
        promise=Promise(error_max=plan.error, audit_skill="label-audit", gold_share=0.0),
    )
    shape = ItemShape((ItemField("text", "Text", required=True),))
    return ProcessDefinition("bench/effort", "Effort", "", shape, (step,))


def prepare(run: Run, order: Sequence[int]) -> None:
    """A batch with everything in it, people, and agents at its step."""
    plan, conn = run.plan, run.conn
    row = conn.execute(
        "insert into client (slug, name, created_ms) values (%s, 'Bench', 0) returning id",
        [f"bench-{run.seed}"],
    ).fetchone()
    assert row is not None
    run.definition = define(plan)
    version = publish(conn, row[0], run.definition, run.clock())
    batch = open_batch(conn, row[0], "all", version.id, run.clock())
    records = [{"reference": str(place), "text": plan.rows[place][0]} for place in order]
    add_items(conn, batch, one_block(records), on_error="skip")
    found = conn.execute(
        "select process_id from process_version where id = %s", [version.id]
    ).fetchone()
    assert found is not None
    run.batch, run.process = batch.id, found[0]
    for kind in plan.agents:
        new = NewAgent(kind, run.process, "label")
        put_to_work(conn, COMMAND_LINE, new, run.definition, run.clock())


def work(run: Run, people: effort_people.People) -> None:
    """Until the batch is delivered and its audits are answered."""
    conn, steps = run.conn, Steps()
    hands, bench = OwnHands(), runner.Bench()
    number = 0
    while True:
        number += 1
        run.now += 60_000
        claimed = let_agents(run, hands, bench, steps)
        given = people.answer(conn, PEOPLE_PER_ROUND, run.clock())
        decide(run, steps)
        review_due(conn, new_seed, run.clock())
        teaching.teach_due(conn, hands, bench, run.clock)
        duels.judge_duels(conn, lambda agent: loaded(bench, conn, agent), run.clock)
        run.curve.append(effort_people.so_far(conn))
        if number % SWEEP_EVERY == 0:
            sweep_due(conn, run.clock())
        if not given and not claimed and not advance(conn, run.clock):
            break


def let_agents(run: Run, hands: OwnHands, bench: runner.Bench, steps: Steps) -> int:
    """Agents answer until they have seen everything or must wait for people, who take their time;
    how many tasks they claimed."""
    claimed = 0
    while True:
        answered = runner.answer_once(run.conn, hands, bench, run.clock)
        if answered.trouble:
            raise SystemExit(f"agents are in trouble: {answered.trouble}")
        decide(run, steps)
        claimed += answered.claimed
        if not answered.claimed:
            return claimed


def loaded(bench: runner.Bench, conn: SyncConn, agent: Any) -> Any:
    """The question of an agent's step."""
    open_steps = store.open_steps(conn, agent.process_id, agent.step_slug)
    return bench.step(conn, open_steps[0]).question if open_steps else None


def decide(run: Run, steps: Steps) -> None:
    """The engine's passes, until nothing is fresh."""
    while True:
        done = one_pass(run.conn, steps, run.clock())
        if done.failed:
            raise SystemExit(f"the engine failed: {done.failed}")
        if not done.answers:
            return


def measure(plan: Plan, seed: int, url: str, postmaster: int) -> dict[str, Any]:
    """One seed in a database of its own."""
    name = f"effort_{seed}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"create database {name}")
    own = psycopg.conninfo.make_conninfo(url, dbname=name)
    began = time.process_time() + house.tree_cpu_s(postmaster)
    with psycopg.connect(own) as conn:
        migrate(conn, job_scripts())
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(plan.rows)).tolist()
    with psycopg.connect(own, autocommit=True, prepare_threshold=PREPARE_AFTER) as conn:
        run = Run(plan, conn, seed)
        prepare(run, order)
        people = effort_people.hire(conn, plan, rng)
        work(run, people)
        result = figures(run)
    result["cpu_s"] = round(time.process_time() + house.tree_cpu_s(postmaster) - began, 1)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")
    return result


def figures(run: Run) -> dict[str, Any]:
    """What came of it."""
    conn, plan = run.conn, run.plan
    rows = conn.execute(
        """select i.key, d.value #>> '{}', d.method from decision d
        join batch_step s on s.id = d.batch_step_id
        join item i on i.batch_id = s.batch_id and i.id = d.item_id"""
    ).fetchall()
    wrong = [value != plan.rows[int(key)][1] for key, value, _ in rows]
    methods = Counter(method for _, _, method in rows)
    alone = [bad for bad, row in zip(wrong, rows, strict=True) if row[2] == "licence"]
    by_agent = [
        {
            "agent": name,
            "state": state,
            "threshold": threshold,
            "finding": finding,
        }
        for name, state, threshold, finding in conn.execute(
            """select c.name, l.state, l.threshold, l.finding from licence l
            join contributor c on c.id = l.contributor_id where l.ended_ms is null order by l.id"""
        )
    ]
    for one in by_agent:
        print("  ", one)
    for agent in store.agents(conn):
        licence = store_arena.open_licence(conn, agent)
        for sentence in licence_words.sentences(licence, agent.name, "en") if licence else ():
            print("  ", sentence)
    for row in conn.execute(
        """select c.name, e.kind, e.detail, e.at_ms from agent_event e
        join contributor c on c.id = e.agent_id order by e.id"""
    ):
        print("  ", *row)
    parts = effort_ledger.ledger(conn)
    print(effort_ledger.table(parts))
    n = len(plan.rows)
    human = effort_people.so_far(conn)[1]
    proof = effort_people.proof(conn, run.batch, run.clock())
    return {
        "items": n,
        "decided": len(rows),
        "human_answers_per_item": round(human / n, 4),
        "agent_share": round(methods["licence"] / n, 4),
        "realised_error": round(sum(wrong) / max(len(rows), 1), 4),
        "agent_error": round(sum(alone) / max(len(alone), 1), 4),
        "promised_error": plan.error,
        "certified_error": None if proof is None else round(proof.bound, 4),
        "proved": int(proof is not None and proof.proved),
        "audits": effort_people.audits(conn),
        "experts": methods["expert"],
        "licence_versions": len(store_licences.history(conn, run.process, "label")),
        "ledger": effort_ledger.totals(parts),
        "curve": [*run.curve[: -1 : max(1, len(run.curve) // POINTS)], *run.curve[-1:]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--text", required=True, help="column of the text")
    parser.add_argument("--label", required=True, help="column of the label")
    parser.add_argument("--error", type=float, default=0.02, help="promised error rate")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=0, help="rows, drawn at random; 0: all")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--person-error", type=float, default=0.08)
    parser.add_argument("--expert-error", type=float, default=0.01)
    parser.add_argument("--agents", default="rules,learner", help="types, by commas; none: -")
    parser.add_argument("--random-labels", action="store_true")
    given = parser.parse_args()
    rows = read(given.data, given.text, given.label)
    rng = np.random.default_rng(1)
    if given.limit:
        rows = [rows[i] for i in rng.permutation(len(rows))[: given.limit].tolist()]
    if given.random_labels:
        labels = [rows[i][1] for i in rng.permutation(len(rows)).tolist()]
        rows = [(text, label) for (text, _), label in zip(rows, labels, strict=True)]
    agents = [] if given.agents == "-" else given.agents.split(",")
    for name in agents:
        try:
            agent_type(name)
        except CanutError as error:
            raise SystemExit(str(error)) from error
    plan = Plan(rows, given.error, given.people, given.person_error, given.expert_error, agents)
    results = []
    with tempfile.TemporaryDirectory(prefix="canut-effort-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedServer(Path(folder) / "data")
        url = server.start()
        try:
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute("alter system set fsync = off")
                row = conn.execute("select pg_reload_conf(), current_setting('data_directory')")
                home = row.fetchone()
            assert home is not None
            postmaster = int((Path(home[1]) / "postmaster.pid").read_text().split()[0])
            for seed in range(given.first_seed, given.first_seed + given.seeds):
                results.append(measure(plan, seed, url, postmaster))
                print(json.dumps({k: v for k, v in results[-1].items() if k != "curve"}))
        finally:
            server.stop()
    print(json.dumps(summary(plan, results, given.first_seed)))


def summary(plan: Plan, results: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Means over the seeds, beside what three answers on every item give."""
    mean = {
        key: round(float(np.mean([result[key] for result in results])), 4)
        for key, value in results[0].items()
        if isinstance(value, int | float)
    }
    baselines = effort_baselines.three(plan.rows, plan.people, plan.person_error, seed)
    return {
        **mean,
        "seeds": len(results),
        "kept_promise": sum(one["realised_error"] <= plan.error for one in results),
        **baselines,
        "curve": results[0]["curve"],
    }


if __name__ == "__main__":
    main()
