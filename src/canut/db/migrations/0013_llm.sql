-- Language models: every call and what it cost, what may still be spent, replies that were paid for,
-- and how fast a server may be asked.

-- One row a call, written before it goes out, at the most it can come to, and corrected when the
-- server has counted: an engine that is killed in between leaves what it may have spent.
create table llm_call (
    id bigint generated always as identity primary key,
    agent_id bigint not null references agent,
    -- hash of the version that asked; a lesson tries versions that never become one
    version text not null,
    -- null: a question of an exam
    task_id bigint,
    batch_id bigint,
    -- what the server calls the model
    model text not null,
    tokens_in integer not null,
    tokens_kept integer not null default 0,
    tokens_out integer not null,
    cost_micro bigint not null,
    currency text not null,
    -- counted by the server; assumed at its most; cache: nothing was asked
    basis text not null check (basis in ('counted', 'assumed', 'cache')),
    latency_ms integer not null default 0,
    at_ms bigint not null,
    check (basis <> 'cache' or cost_micro = 0)
);
create index llm_call_agent on llm_call (agent_id, id);
create index llm_call_task on llm_call (task_id);

-- Sums of calls, kept with each, so that a budget is looked up and nobody adds up millions of rows.
create table llm_spend (
    agent_id bigint not null references agent,
    currency text not null,
    kind text not null check (kind in ('ever', 'day', 'month', 'batch', 'version')),
    -- '' | 2026-11-22 | 2026-11 (of UTC) | number of the batch | hash of the version
    of text not null,
    -- paid calls, and those that the cache saved
    calls bigint not null default 0,
    cached bigint not null default 0,
    tokens_in bigint not null default 0,
    tokens_out bigint not null default 0,
    cost_micro bigint not null default 0,
    primary key (agent_id, currency, kind, of)
);

-- Replies by the hash of everything that decided them.
create table llm_reply (
    key text primary key,
    reply bytea not null,
    at_ms bigint not null
);

-- Requests of the last minute at one server and model, by all engines.
create table llm_turn (
    place text not null,
    at_ms bigint not null,
    tokens bigint not null
);
create index llm_turn_place on llm_turn (place, at_ms);

-- A server that asked for peace gets it from all engines.
create table llm_place (
    place text primary key,
    not_before_ms bigint not null
);
