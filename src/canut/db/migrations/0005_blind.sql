-- Work that contributors cannot tell from any other: gold, and decided tasks answered again.

-- why a task is there. work: the item's own; gold: its answer is known, item_id is minus the
-- gold's id; audit: the item of `of_task`, answered again by others. No contributor may learn it.
alter table task add column kind text not null default 'work'
    check (kind in ('work', 'gold', 'audit'));
alter table task add column of_task bigint;
-- the belief wavers: the better contributors get it first
alter table task add column doubtful boolean not null default false;

alter table task drop constraint task_item_id_batch_step_id_key;
alter table task add unique (item_id, batch_step_id, kind);
drop index task_open;
create index task_open on task (batch_step_id, expert, doubtful, id) where open and kind = 'work';
-- so few that claims may look whether there is any
create index task_audit on task (batch_step_id, id) where open and kind = 'audit';

alter table claim_cursor add column doubtful boolean not null default false;
alter table claim_cursor drop constraint claim_cursor_pkey;
alter table claim_cursor add primary key (contributor_id, batch_step_id, expert, doubtful);

drop function if exists submit_answers(bigint, bigint[], bigint[], jsonb[], bigint);

-- how sure the contributor says it is; agents do, people are not asked
alter table answer add column confidence real check (confidence between 0 and 1);

-- agents of one model family are one voice
alter table contributor add column family text;

alter table decision drop constraint decision_method_check;
-- licence: one agent alone; panel: overturned after the client contested it
alter table decision add check (method in ('answers', 'expert', 'exhausted', 'licence', 'panel'));

-- what the step promises, and what it spends on the proof; see processes.model.Promise
alter table batch_step
    add column error_max real not null default 0.02,
    add column delta real not null default 0.05,
    add column audits_max integer not null default 400,
    add column audit_share real not null default 0.1,
    add column panel smallint not null default 2,
    add column gold_share real not null default 0.05,
    add column stream_share real not null default 0.03,
    -- skills that an auditor must have
    add column audit_skills text[] not null default '{}';
update batch_step set audit_skills =
    case when expert_skill is null then skills else skills || expert_skill end;

-- answers to gold, apart from what agreement with decisions says
alter table track
    add column gold_right double precision not null default 0,
    add column gold_judged double precision not null default 0;

-- What a step knows from its own answers and gold: typical skill, and the parameters of beliefs.
create table step_model (
    process_id bigint not null,
    step_slug text not null,
    -- a new number with every fit
    version integer not null,
    -- how often a usual answer is right: better contributors get doubtful tasks first
    skill real not null default 0.7,
    parameters jsonb not null default '{}',
    fitted_ms bigint not null,
    primary key (process_id, step_slug)
);

create table gold (
    id bigint generated always as identity primary key,
    process_id bigint not null references process,
    step_slug text not null,
    payload jsonb not null,
    value jsonb not null,
    -- process: came with its definition; operator: entered by a person; expert: an item that
    -- experts and contributors agreed on
    origin text not null check (origin in ('process', 'operator', 'expert')),
    state text not null default 'active' check (state in ('active', 'retired')),
    -- why it was retired
    reason text not null default '',
    -- to how many contributors it was shown
    shown integer not null default 0,
    -- SHA-256 of payload and value: the same gold is kept once
    digest text not null,
    created_ms bigint not null,
    retired_ms bigint,
    unique (process_id, step_slug, digest)
);
-- rotation: the least shown comes next
create index gold_rotation on gold (process_id, step_slug, shown, id) where state = 'active';

-- gold that a contributor was shown, once at most, wherever it was: hidden in the work, or exam
create table gold_answer (
    contributor_id bigint not null references contributor,
    gold_id bigint not null references gold,
    -- null: in an exam
    task_id bigint,
    shown_ms bigint not null,
    value jsonb,
    -- how far the answer agrees with the gold's, 0 to 1
    agreement real,
    answered_ms bigint,
    primary key (contributor_id, gold_id)
);
create index gold_answer_gold on gold_answer (gold_id);
create index gold_answer_task on gold_answer (task_id) where task_id is not null;
