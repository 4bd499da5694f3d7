-- The task screen: answers that can be taken back, remarks, and the time that work took.

-- the engine counts an answer from then on; before, its contributor may take it back
alter table inbox add column after_ms bigint not null default 0;

drop function if exists submit_answers(bigint, bigint[], bigint[], jsonb[], bigint, real[]);

-- Answers that their contributors took back before they were counted. No answer that was
-- acknowledged is ever lost: it moves here, and the task is in its contributor's hands again.
create table withdrawn (
    id bigint generated always as identity primary key,
    task_id bigint not null,
    contributor_id bigint not null,
    value jsonb not null,
    expert boolean not null,
    submitted_ms bigint not null,
    withdrawn_ms bigint not null,
    -- when it was taken back, by the contributor's own clock: the same answer, sent again by a
    -- network that thought it lost, is older and is told from a new one by this
    acted_ms bigint not null
);
create index withdrawn_task on withdrawn (task_id, contributor_id);

-- What a contributor says of a task instead of an answer.
create table remark (
    task_id bigint not null,
    contributor_id bigint not null,
    batch_step_id bigint not null,
    -- unsure: this contributor cannot tell; fault: something is wrong with the task
    kind text not null check (kind in ('unsure', 'fault')),
    -- from the list of its kind: canut.work.remarks
    reason text not null,
    note text not null default '',
    made_ms bigint not null,
    primary key (task_id, contributor_id)
);
create index remark_step on remark (batch_step_id, made_ms);

-- When somebody worked on a task, as their device saw it: half-open intervals, milliseconds UTC.
-- Claimed, bounded and kept; what of it is paid, the room of pay decides.
create table activity (
    task_id bigint not null,
    contributor_id bigint not null,
    batch_step_id bigint not null,
    intervals int8multirange not null,
    -- their length altogether
    active_ms bigint not null,
    -- when the last of it was sent
    sent_ms bigint not null,
    primary key (task_id, contributor_id)
);
create index activity_contributor on activity (contributor_id, sent_ms);
