-- A licence is a version of a permission: what was licensed, on what evidence, and how it ended.

alter table licence alter column granted_ms drop not null;
alter table licence
    -- 1, 2, ... of a contributor on a step: each may spend its own share of delta
    add column version integer not null default 1,
    -- the version that began to earn what this one holds; null: itself, or a person
    add column root bigint references licence,
    add column state text not null default 'in_force'
        check (state in ('earning', 'in_force', 'ended')),
    -- what is licensed: the hash of an agent's version; empty for a person
    add column basis text not null default '',
    -- at most this share of what it decides may be wrong, but for a chance of delta
    add column error_max real not null default 0.02,
    add column delta real not null default 0.05,
    -- an agent decides alone at or above it; null: a person, who never decides alone
    add column threshold double precision,
    -- [[threshold, coverage], ...], falling, set before any outcome is looked at
    add column rungs jsonb,
    -- which of its tasks people answer too, blind: see truth.designs.in_stream
    add column seed text not null default '',
    add column stream_ppm integer not null default 0,
    -- what proved the threshold, and what the stream says since (quality.licences, quality.drift)
    add column finding jsonb,
    add column standing jsonb,
    -- when the evidence was last looked at
    add column reviewed_ms bigint not null default 0,
    -- evidence against a person: a person must look
    add column flagged_ms bigint,
    add column started_ms bigint not null default 0,
    -- who ended it; null: evidence did, or a successor
    add column ended_by bigint references account;
update licence set started_ms = granted_ms,
    state = case when ended_ms is null then 'in_force' else 'ended' end;
-- several licences may have been granted, one after the other, before there were versions
update licence l set version = n.version from (
    select id, row_number() over (
        partition by contributor_id, process_id, step_slug order by id) as version
    from licence) n
where n.id = l.id;
alter table licence
    add unique (contributor_id, process_id, step_slug, version),
    add check ((state = 'ended') = (ended_ms is not null)),
    add check (state <> 'in_force' or granted_ms is not null);

-- An agent's answer to a task of its stream, which people answer blind and it has no voice in.
-- In the order of id, which is that of the answers: evidence counts up to the first that is open.
-- Thresholds are proved on all answers since the root began; each version is watched on its own.
create table blind_answer (
    id bigint generated always as identity primary key,
    root bigint not null references licence,
    licence_id bigint not null references licence,
    contributor_id bigint not null,
    task_id bigint not null,
    value jsonb not null,
    confidence real not null,
    -- null: people have not decided yet
    wrong boolean,
    settled_ms bigint,
    unique (task_id, contributor_id)
);
create index blind_answer_root on blind_answer (root, id);
create index blind_answer_settled on blind_answer (settled_ms);
create index blind_answer_open on blind_answer (task_id) where wrong is null;
