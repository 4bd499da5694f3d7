-- What is proved about delivered decisions: closed lists, draws, panels, certificates, disputes.
-- Like tasks and answers these rows name tasks and items without foreign keys; `canut db check`
-- proves the references.

-- when the delivery was framed; a batch that is reopened and delivered again is framed again
alter table batch add column framed_ms bigint;
create index batch_unframed on batch (delivered_ms)
    where state = 'delivered' and framed_ms is distinct from delivered_ms;

-- A closed list of decisions: those of a step of a batch up to an item, in the order of items. The
-- list is not copied: items and decisions are never deleted, and what a decision was before it was
-- overturned is kept in `decision_was`.
create table frame (
    id bigint generated always as identity primary key,
    batch_step_id bigint not null,
    -- 1, and one more each time that the batch is reopened and delivered again
    number integer not null,
    closed_ms bigint not null,
    last_item bigint not null,
    n_decisions bigint not null check (n_decisions > 0),
    -- the promise, and this list's share of delta
    error_max double precision not null,
    delta double precision not null,
    kind text not null check (kind in ('uniform', 'risk')),
    -- made after the list was closed: who knows it before could foresee audits
    seed text not null,
    uniform_ppm integer not null,
    -- the largest weight of any decision in a draw
    weight_max double precision not null,
    -- why this design
    reason text not null,
    -- SHA-256 of the list and its risks
    digest text not null,
    -- draws at most
    audits_max integer not null,
    -- open: draws go on; proved; spent: not proved, and no draws are left; replaced: a later list
    -- has the same decisions and more
    state text not null default 'open' check (state in ('open', 'proved', 'spent', 'replaced')),
    unique (batch_step_id, number)
);
create index frame_open on frame (id) where state = 'open';

-- A decided task answered again, blind: one for each audit task, whether draws or a dispute made it.
create table panel (
    -- the audit task
    task_id bigint primary key,
    of_task bigint not null,
    batch_step_id bigint not null,
    -- people asked in the first round, and at most in all
    people integer not null,
    people_max integer not null,
    opened_ms bigint not null,
    -- what the panel says; null until it is settled
    value jsonb,
    -- whether more than half of the panel stand behind it
    resolved boolean,
    settled_ms bigint,
    -- the records of those whose answers made a wrong decision were put right
    corrected boolean not null default false,
    check ((settled_ms is null) = (resolved is null))
);
create unique index panel_of_task on panel (of_task);
create index panel_open on panel (batch_step_id) where settled_ms is null;

-- a draw of a frame; drawn with replacement, a decision may be there twice
create table audit (
    frame_id bigint not null references frame,
    -- place in the draw, from 0
    draw integer not null,
    task_id bigint not null,
    audit_task bigint not null,
    -- as it was delivered
    value jsonb not null,
    -- what the draw counts if the decision is wrong
    weight double precision not null,
    outcome text check (outcome in ('right', 'wrong')),
    judged_ms bigint,
    primary key (frame_id, draw),
    check ((outcome is null) = (judged_ms is null))
);
create index audit_open on audit (frame_id) where outcome is null;
create index audit_open_task on audit (audit_task) where outcome is null;

-- What was stated, for ever. The evidence is made again from these rows, byte for byte.
create table certificate (
    id bigint generated always as identity primary key,
    frame_id bigint not null references frame,
    number integer not null,
    issued_ms bigint not null,
    -- what it was issued for
    occasion text not null check (occasion in ('proved', 'spent', 'dispute')),
    -- names as they were
    about jsonb not null,
    -- draws made until then, and those of them without an outcome
    draws integer not null,
    open_draws integer[] not null,
    -- items under dispute, and those found wrong after one
    contested bigint[] not null,
    overturned bigint[] not null,
    panel jsonb not null,
    statement jsonb not null,
    -- SHA-256 of the file
    digest text not null,
    unique (frame_id, number)
);
create function certificate_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end $$;
create trigger certificate_append_only before update or delete on certificate
    for each row execute function certificate_is_append_only();

-- a client says that a decision is wrong
create table dispute (
    id bigint generated always as identity primary key,
    client_id bigint not null,
    batch_id bigint not null,
    batch_step_id bigint not null,
    item_id bigint not null,
    task_id bigint not null,
    reason text not null,
    -- the decision's value when it was contested
    was jsonb not null,
    opened_ms bigint not null,
    -- upheld: the panel agrees with the decision; overturned: it does not, its value is the
    -- decision now; unresolved: the panel is of no one mind, the decision stays and counts as wrong
    outcome text check (outcome in ('upheld', 'overturned', 'unresolved')),
    settled_ms bigint,
    check ((outcome is null) = (settled_ms is null))
);
create unique index dispute_open on dispute (task_id) where settled_ms is null;
create index dispute_step on dispute (batch_step_id, item_id);
create index dispute_client on dispute (client_id, id);

-- decisions as they were before they were overturned
create table decision_was (
    id bigint generated always as identity primary key,
    task_id bigint not null,
    batch_step_id bigint not null,
    item_id bigint not null,
    value jsonb not null,
    confidence real not null,
    method text not null,
    n_answers smallint not null,
    evidence jsonb not null,
    decided_ms bigint not null,
    dispute_id bigint not null references dispute,
    -- number of the last frame that was closed on it; 0: none was
    frame_number integer not null,
    until_ms bigint not null
);
create index decision_was_task on decision_was (task_id, id);
create trigger decision_was_append_only before update or delete on decision_was
    for each row execute function certificate_is_append_only();
