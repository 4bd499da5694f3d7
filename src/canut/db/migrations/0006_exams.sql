-- The life of gold, and exams on it.

alter table gold
    -- the name it has in the folder or file it came from; edited gold of one name replaces the old
    add column reference text not null default '',
    -- why it was retired; edited: what it came from says otherwise now, leaked and disputed: see
    -- quality.gold_rules, person: the reason is theirs
    add column cause text check (cause in ('edited', 'leaked', 'disputed', 'person')),
    -- answers that the last review looked at
    add column reviewed integer not null default 0,
    -- the task whose decision it was
    add column of_task bigint;
update gold set cause = 'person' where state = 'retired';
alter table gold add check ((state = 'retired') = (cause is not null));
create unique index gold_of_task on gold (of_task) where of_task is not null;
-- decisions that a person looked at and did not want as gold
create table gold_declined (
    task_id bigint primary key,
    declined_ms bigint not null
);

-- Questions of a step whose answers are known, in an order drawn from a seed, until it is clear
-- whether the contributor is good enough. The same for people and agents.
create table exam (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    process_id bigint not null references process,
    step_slug text not null,
    -- the version whose question and instructions are shown
    step_id bigint not null references step,
    seed bigint not null,
    -- abandoned: nothing was answered for too long; it counts as failed
    state text not null default 'running'
        check (state in ('running', 'passed', 'failed', 'abandoned')),
    -- quality.exam_rules.Rules as they were at the start
    rules jsonb not null,
    -- quality.exam_rules.Verdict, once it ended
    verdict jsonb,
    started_ms bigint not null,
    -- when something was last answered or asked for
    seen_ms bigint not null,
    ended_ms bigint,
    -- when the contributor may try again
    retake_ms bigint,
    -- passed after all, because gold that had counted against them was retired
    corrected_ms bigint,
    check ((state = 'running') = (ended_ms is null))
);
create unique index exam_running on exam (contributor_id, process_id, step_slug)
    where state = 'running';
create index exam_contributor on exam (contributor_id, id);
create index exam_idle on exam (seen_ms) where state = 'running';

alter table gold_answer
    add column exam_id bigint references exam,
    -- place in its exam, from 1
    add column place smallint,
    -- whether it is in the contributor's record (track.gold_right, gold_judged)
    add column counted boolean not null default false,
    add check (exam_id is null or task_id is null),
    add check ((exam_id is null) = (place is null));
update gold_answer set counted = true where agreement is not null;
create unique index gold_answer_exam on gold_answer (exam_id, place) where exam_id is not null;
create index gold_answer_counted on gold_answer (gold_id) where counted;
