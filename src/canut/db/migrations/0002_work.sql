-- What is outsourced, and the life of an item.

create table process (
    id bigint generated always as identity primary key,
    -- null: the library shared by all clients
    client_id bigint references client,
    slug text not null,
    created_ms bigint not null,
    unique nulls not distinct (client_id, slug)
);

create table process_version (
    id bigint generated always as identity primary key,
    process_id bigint not null references process,
    number integer not null,
    definition jsonb not null,
    content_hash text not null,
    -- made for one batch that brought its own taxonomy: later batches do not get it unasked
    adapted boolean not null default false,
    created_ms bigint not null,
    unique (process_id, number),
    unique (process_id, content_hash)
);

create table step (
    id bigint generated always as identity primary key,
    process_version_id bigint not null references process_version,
    position smallint not null,
    slug text not null,
    definition jsonb not null,
    unique (process_version_id, position)
);

create table batch (
    id bigint generated always as identity primary key,
    client_id bigint not null references client,
    process_version_id bigint not null references process_version,
    -- the client's own name for it: submitting the same key twice is the same batch
    key text not null,
    name text not null,
    state text not null default 'running'
        check (state in ('running', 'paused', 'delivered', 'cancelled')),
    -- higher is served more often: a step's share of claims is proportional to 2^priority
    priority smallint not null default 0 check (priority between -5 and 5),
    deadline_ms bigint,
    n_items bigint not null default 0,
    -- every field its items have, in the order of first appearance: the columns of its results
    columns text[] not null default '{}',
    created_ms bigint not null,
    delivered_ms bigint,
    unique (client_id, key)
);
create index batch_state on batch (state);

-- A step of a batch: what a claim must know, in one narrow row, and the engine's counts.
-- Intake and the engine write the counts, a batch at a time; requests never do.
create table batch_step (
    id bigint generated always as identity primary key,
    batch_id bigint not null references batch,
    step_id bigint not null references step,
    position smallint not null,
    process_id bigint not null references process,
    slug text not null,
    -- contributors may claim
    open boolean not null default true,
    weight real not null default 1,
    skills text[] not null default '{}',
    -- skill needed for escalated tasks; null: no escalation, decide with what there is
    expert_skill text,
    licence boolean not null default false,
    lease_ms bigint not null,
    min_answers smallint not null,
    max_answers smallint not null,
    target real not null,
    n_tasks bigint not null default 0,
    n_answers bigint not null default 0,
    n_decided bigint not null default 0,
    n_escalated bigint not null default 0,
    unique (batch_id, position)
);
create index batch_step_open on batch_step (id) where open;

-- item, task, assignment and answer have no foreign keys: every row is made by one statement that
-- reads its parent in the same snapshot, rows are never deleted, and a key check would lock the
-- parent at each claim and double the time of an intake. `canut db check` proves the references.

create table item (
    batch_id bigint not null,
    id bigint generated always as identity,
    -- the client's own name for it, else its row number; only ever compared for equality, and
    -- bytes are compared in half the time of words
    key text collate "C" not null,
    payload jsonb not null,
    primary key (batch_id, id),
    unique (batch_id, key)
);

-- An item at a step. wanted = answers asked for so far; slots = claims that may still be made
-- (wanted less live and submitted assignments); open = slots > 0 and not decided, kept apart so
-- that only opening and closing a task touches the index that claims walk.
create table task (
    id bigint generated always as identity primary key,
    batch_step_id bigint not null,
    item_id bigint not null,
    wanted smallint not null,
    slots smallint not null,
    open boolean not null default true,
    expert boolean not null default false,
    decided boolean not null default false,
    unique (item_id, batch_step_id)
) with (fillfactor = 85);
create index task_open on task (batch_step_id, expert, id) where open;

-- A task claimed by one contributor until a deadline. The pair is the key: nobody gets a task
-- twice, whatever became of the first time.
create table assignment (
    task_id bigint not null,
    contributor_id bigint not null,
    batch_step_id bigint not null,
    state text not null check (state in ('claimed', 'submitted', 'returned', 'expired')),
    -- claimed as an expert: this answer settles the task
    expert boolean not null default false,
    claimed_ms bigint not null,
    deadline_ms bigint not null,
    ended_ms bigint,
    primary key (task_id, contributor_id)
);
-- the few that are live: a contributor's own, and those to expire
create index assignment_live on assignment (contributor_id, deadline_ms) where state = 'claimed';

-- where a contributor stands in the open tasks of a step: tasks up to here were seen or full
create table claim_cursor (
    contributor_id bigint not null,
    batch_step_id bigint not null,
    -- escalated tasks are walked apart
    expert boolean not null,
    task_id bigint not null,
    primary key (contributor_id, batch_step_id, expert)
) with (fillfactor = 50);

create table answer (
    task_id bigint not null,
    contributor_id bigint not null,
    value jsonb not null,
    expert boolean not null default false,
    submitted_ms bigint not null,
    primary key (task_id, contributor_id)
);
create index answer_contributor on answer (contributor_id, submitted_ms);

-- answers the engine has not weighed yet; emptied in the transaction that decides
create table inbox (
    task_id bigint not null,
    contributor_id bigint not null,
    batch_step_id bigint not null,
    submitted_ms bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table decision (
    task_id bigint primary key,
    batch_step_id bigint not null,
    item_id bigint not null,
    value jsonb not null,
    confidence real not null,
    -- who decided: contributors' answers weighed, an expert, or all answers spent without reaching
    -- the target
    method text not null check (method in ('answers', 'expert', 'exhausted')),
    n_answers smallint not null,
    -- contributors whose answers were weighed, with how far each agreed with the decision
    evidence jsonb not null,
    decided_ms bigint not null
);
create index decision_step on decision (batch_step_id, item_id);

-- What a step knows of its contributors: sums over decided tasks, across batches and versions.
create table track (
    process_id bigint not null,
    step_slug text not null,
    contributor_id bigint not null,
    "right" double precision not null,
    judged double precision not null,
    primary key (process_id, step_slug, contributor_id)
);

-- a contributor's permission to work on a step
create table licence (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    process_id bigint not null references process,
    step_slug text not null,
    granted_ms bigint not null,
    ended_ms bigint,
    reason text not null default ''
);
create unique index licence_in_force on licence (contributor_id, process_id, step_slug)
    where ended_ms is null;
