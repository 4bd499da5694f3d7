-- Agents under watch: has their work changed, who is asked when, canaries, models that end.

-- What was noted of an agent's champion, and how careful we are with it; any engine goes on from
-- here. Of bounded size, however long the stream.
create table agent_watch (
    agent_id bigint primary key references agent,
    -- another champion is watched anew
    version_id bigint not null references agent_version,
    step text not null default 'steady' check (
        step in ('steady', 'threshold', 'people', 'retrain', 'challenge', 'revoke')),
    step_ms bigint not null,
    -- items since that step was taken, or since the last alarm
    since bigint not null default 0,
    -- when this episode began; null while steady
    alarmed_ms bigint,
    -- the newest alarms of the episode, with figures
    alarms jsonb not null default '[]',
    -- items of this version that were watched
    seen bigint not null default 0,
    -- blind answers that were read, and the time of the newest of them
    audits bigint not null default 0,
    audited_ms bigint not null default 0,
    -- a lesson that is owed: 'retrain' as soon as there is more to learn, 'challenge' at once
    lesson text check (lesson in ('retrain', 'challenge')),
    -- canut.agents.arena.drift.Watch
    memory jsonb not null default '{}'
);
alter table agent drop column watch;

-- Tasks that a champion has just answered or passed, some of each chunk, until they are watched.
-- Written with the predictions, so that none is watched twice or never.
create table agent_glimpse (
    id bigint generated always as identity primary key,
    agent_id bigint not null references agent,
    version_id bigint not null references agent_version,
    -- of how many these were drawn
    n integer not null,
    tasks bigint[] not null
);
create index agent_glimpse_agent on agent_glimpse (agent_id, id);

-- Who is asked when at a step, by what was measured; agents without a row stand where they were put
create table agent_turn (
    agent_id bigint primary key references agent,
    turn integer not null,
    -- false: it adds nothing just now, and is not asked
    asked boolean not null,
    -- why, with figures (canut.agents.arena.order)
    reason text not null,
    figures jsonb not null,
    measured_ms bigint not null,
    -- the versions that were compared: others are measured anew
    basis text not null
);

-- Agents whose model ends, as the operator's file of models had it last.
create table agent_calendar (
    agent_id bigint primary key references agent,
    model text not null,
    shutdown date not null,
    begin_by date not null,
    state text not null check (state in ('later', 'now', 'late', 'gone')),
    -- the model that is to follow; empty: the file names none
    successor text not null default '',
    -- what was done about it, or what is missing (canut.agents.arena.calendar)
    did text not null default '',
    told_ms bigint not null
);

-- settings in which a version differs from its agent: a challenger may ask another model
alter table agent_version add column settings jsonb not null default '{}';

alter table licence
    -- its stream is at least this share while the work seems to change, or a canary is out
    add column stream_floor_ppm integer not null default 0,
    -- a version that took over decides this share of its tasks alone, until its stream stays clean
    add column canary_ppm integer not null default 1000000;
