-- Agents at work: who stands at which step, in which versions, and what each has predicted.

-- A contributor of kind agent at a step; agents that want to work at two steps are two.
create table agent (
    id bigint primary key references contributor,
    process_id bigint not null references process,
    step_slug text not null,
    -- name of its type: an entry point of canut.agents
    type text not null,
    -- what a type needs to know besides what it learns
    settings jsonb not null default '{}',
    -- who is asked first: agents of a step in rising order, cheapest first
    place integer not null,
    state text not null default 'active' check (state in ('active', 'paused')),
    -- why it does nothing just now; empty where it works
    trouble text not null default '',
    -- no work before: after trouble it waits
    next_ms bigint not null default 0,
    -- decisions at the step when somebody looked last whether to teach it
    looked_n bigint not null default 0,
    -- what the watch over drift knows, and how far it has read
    watch jsonb not null default '{}',
    created_ms bigint not null
);
create index agent_step on agent (process_id, step_slug, place);

-- What agents have learned, by its SHA-256; never changed, shared by versions that know the same.
create table agent_artefact (
    sha256 text primary key,
    bytes bytea not null,
    learned_ms bigint not null,
    n_examples bigint not null,
    -- the state that was learned on; null: a beginner
    parent text references agent_artefact
);

-- A version of an agent: all that can change what it answers, under its hash. `fixed_ms` is when it
-- could not change any more: what people decided blind after that is evidence about it.
create table agent_version (
    id bigint generated always as identity primary key,
    agent_id bigint not null references agent,
    hash text not null,
    version jsonb not null,
    state text references agent_artefact,
    -- champion: its answers are handed in; challenger: only kept, to be compared
    role text not null check (role in ('champion', 'challenger', 'replaced', 'dropped')),
    fixed_ms bigint not null,
    -- what it was taught, and what that was worth on the newest examples, which were held back
    lesson jsonb not null default '{}',
    ended_ms bigint,
    -- why it ended
    why text not null default '',
    -- the champion that a challenger was held against
    against bigint references agent_version,
    unique (agent_id, hash),
    check ((role in ('champion', 'challenger')) = (ended_ms is null))
);
create unique index agent_version_role on agent_version (agent_id, role) where ended_ms is null;

-- one row a task and version, written in the transaction that hands in the answer, or before
create table agent_prediction (
    version_id bigint not null references agent_version,
    task_id bigint not null,
    -- null: it could not answer
    value jsonb,
    confidence real not null,
    evidence jsonb not null,
    cost_micro bigint not null,
    currency text not null,
    latency_ms integer not null,
    stage text not null,
    predicted_ms bigint not null,
    primary key (version_id, task_id)
);
create index agent_prediction_task on agent_prediction (task_id);

-- what the predictions of a version cost, by batch: sums, so that nobody adds up millions of rows
create table agent_cost (
    version_id bigint not null references agent_version,
    batch_step_id bigint not null,
    currency text not null,
    predictions bigint not null,
    answered bigint not null,
    cost_micro bigint not null,
    latency_ms bigint not null,
    primary key (version_id, batch_step_id, currency)
);

-- where an agent stands in the open tasks of a step of a batch
create table agent_cursor (
    agent_id bigint not null references agent,
    batch_step_id bigint not null,
    task_id bigint not null,
    -- the farthest it has been
    reached bigint not null,
    -- when it began from the first task last
    begun_ms bigint not null,
    primary key (agent_id, batch_step_id)
);

-- what happened to an agent, with the figures that were the reason
create table agent_event (
    id bigint generated always as identity primary key,
    agent_id bigint not null references agent,
    version_id bigint references agent_version,
    kind text not null,
    detail jsonb not null,
    at_ms bigint not null
);
create index agent_event_agent on agent_event (agent_id, id);

-- a challenger that took its champion's place is judged by what it said while it was one: the same
-- contributor may have an answer to a task under each of two versions
alter table blind_answer drop constraint blind_answer_task_id_contributor_id_key;
alter table blind_answer add unique (task_id, contributor_id, root);
