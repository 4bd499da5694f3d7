-- Pay: rules with dates, time that is agreed, what tasks pay, quotes, money set aside, and earnings.

-- What the co-op decided, with the day from which it holds: never changed, only followed by another.
create table policy (
    id bigint generated always as identity primary key,
    -- floor: minor units an hour, of a jurisdiction and currency
    -- fee, reserve: share of pay; social: share of pay, of a jurisdiction; in hundredths of a percent
    -- accept_days, period_days: days
    -- home: the jurisdiction of whoever has no other
    name text not null check (name in (
        'floor', 'fee', 'social', 'reserve', 'accept_days', 'period_days', 'home')),
    jurisdiction text not null default '',
    currency text not null default '',
    value bigint not null check (value >= 0),
    from_ms bigint not null,
    -- the resolution that decided it; null: a founding rule
    resolution text,
    account_id bigint references account,
    made_ms bigint not null
);
create index policy_at on policy (name, jurisdiction, currency, from_ms, id);
insert into policy (name, jurisdiction, currency, value, from_ms, made_ms) values
    ('home', 'FR', '', 1, 0, 0),
    ('floor', 'FR', 'EUR', 1202, 0, 0),
    ('social', 'FR', '', 0, 0, 0),
    ('fee', '', '', 1000, 0, 0),
    ('reserve', '', '', 1500, 0, 0),
    ('accept_days', '', '', 5, 0, 0),
    ('period_days', '', '', 7, 0, 0);

-- whose rules a contributor's pay follows; null: those of `home`
alter table contributor add column jurisdiction text;

-- Agreed time of a task in a contributor's hands. No millisecond of a contributor is in two rows.
create table work_time (
    task_id bigint not null,
    contributor_id bigint not null,
    batch_step_id bigint not null,
    -- what counts, and how long it is; reported elsewhere is not in it
    intervals int8multirange not null,
    measured_ms bigint not null check (measured_ms >= 0),
    -- what is paid and priced by: measured, unless a person decided otherwise
    agreed_ms bigint not null check (agreed_ms >= 0),
    basis text not null check (basis in ('screen', 'stated')),
    -- for how long the task was theirs; the time counts on the day it ended
    claimed_ms bigint not null,
    ended_ms bigint not null,
    -- it ended with an answer: only these tell how long a task takes
    answered boolean not null,
    primary key (task_id, contributor_id),
    check (agreed_ms <= ended_ms - claimed_ms)
);
create index work_time_contributor on work_time (contributor_id, ended_ms);
create index work_time_step on work_time (batch_step_id) where answered;

-- A contributor says that a task took another time; a person decides.
create table time_review (
    id bigint generated always as identity primary key,
    task_id bigint not null,
    contributor_id bigint not null references contributor,
    batch_step_id bigint not null,
    measured_ms bigint not null,
    stated_ms bigint not null check (stated_ms >= 0),
    reason text not null,
    opened_ms bigint not null,
    -- null: open
    decided_ms bigint,
    account_id bigint references account,
    agreed_ms bigint,
    why text,
    check (num_nonnulls(decided_ms, agreed_ms, why) in (0, 3))
);
create unique index time_review_open on time_review (task_id, contributor_id)
    where decided_ms is null;
create index time_review_contributor on time_review (contributor_id, id);

-- What a step pays, with what that rests on, from a day on. No row: the work is voluntary.
create table tariff (
    id bigint generated always as identity primary key,
    process_id bigint not null references process,
    step_slug text not null,
    -- pilot: paid by the hour; measured: by the task; voluntary: not any more
    stage text not null check (stage in ('pilot', 'measured', 'voluntary')),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    jurisdiction text not null,
    -- of an hour, when this was made
    floor_minor bigint not null check (floor_minor > 0),
    price_minor bigint check (price_minor > 0),
    -- a gap that still counts as work
    idle_ms bigint not null check (idle_ms >= 0),
    -- of a task, before any was measured
    assumed_ms bigint not null check (assumed_ms > 0),
    mean_ms double precision,
    upper_ms double precision,
    n_tasks bigint not null default 0,
    n_contributors bigint not null default 0,
    seed bigint not null default 0,
    from_ms bigint not null,
    -- null: the program
    account_id bigint references account,
    why text not null default '',
    made_ms bigint not null,
    check ((stage = 'measured') = (price_minor is not null))
);
create index tariff_step on tariff (process_id, step_slug, from_ms, id);

-- What a client was offered for a batch, line by line; agreed once, never changed.
create table quote (
    id bigint generated always as identity primary key,
    batch_id bigint not null references batch,
    currency text not null,
    total_minor bigint not null check (total_minor > 0),
    -- canut.pay.quote.Quote
    quote jsonb not null,
    made_ms bigint not null,
    agreed_ms bigint,
    account_id bigint references account
);
create index quote_batch on quote (batch_id, id);

-- A batch that is paid for.
create table batch_pay (
    batch_id bigint primary key references batch,
    currency text not null,
    -- since when its money does not cover another task; null: it does
    short_ms bigint,
    funded_ms bigint not null
);
create table batch_step_pay (
    batch_step_id bigint primary key references batch_step,
    batch_id bigint not null references batch_pay,
    -- what its tasks pay now: never less than what was agreed
    tariff_id bigint not null references tariff,
    -- null: by the hour
    price_minor bigint,
    -- what one answer may come to, with contributions and fee; and one task, in answers
    unit_minor bigint not null,
    answers_most integer not null,
    -- tasks that money covers; they are those up to batch_step.funded_to
    released bigint not null default 0
);
create index batch_step_pay_batch on batch_step_pay (batch_id);

-- Tasks after this one are not claimed: their money is not there yet.
alter table batch_step
    add column funded_to bigint not null default 9223372036854775807,
    -- nothing is claimed, whatever `open` was asked to be
    add column held boolean not null default false;

-- answers to paid steps that the engine has weighed, until they are earnings
create table worked (
    task_id bigint not null,
    contributor_id bigint not null,
    batch_step_id bigint not null,
    submitted_ms bigint not null,
    primary key (task_id, contributor_id)
);
create index worked_step on worked (batch_step_id);

-- A sheet: what a contributor earned in a batch since the last one. Its money is held in the books,
-- and theirs unless somebody objects before `accept_ms`.
create table pay_sheet (
    id bigint generated always as identity primary key,
    batch_id bigint not null references batch_pay,
    contributor_id bigint not null references contributor,
    currency text not null,
    jurisdiction text not null,
    pay_minor bigint not null check (pay_minor >= 0),
    social_minor bigint not null check (social_minor >= 0),
    fee_minor bigint not null check (fee_minor >= 0),
    -- of the pay: what the co-op stands in for, because the batch had no more
    coop_minor bigint not null default 0 check (coop_minor between 0 and pay_minor),
    made_ms bigint not null,
    accept_ms bigint not null,
    -- null: held
    accepted_ms bigint,
    -- holds of the books
    holds bigint[] not null default '{}'
);
create index pay_sheet_due on pay_sheet (accept_ms) where accepted_ms is null;
create index pay_sheet_contributor on pay_sheet (contributor_id, id);
create index pay_sheet_batch on pay_sheet (batch_id, id);

-- What an answer earned: once for each cause ('work', 'reprice:<tariff>', 'time:<review>').
create table earning (
    task_id bigint not null,
    contributor_id bigint not null,
    cause text not null,
    batch_step_id bigint not null,
    amount_minor bigint not null check (amount_minor >= 0),
    -- price; hour: by agreed time; assumed: by the hour, and nothing was measured
    basis text not null check (basis in ('price', 'hour', 'assumed')),
    -- time that was paid by the hour
    paid_ms bigint not null default 0,
    earned_ms bigint not null,
    sheet_id bigint references pay_sheet,
    primary key (task_id, contributor_id, cause)
);
create index earning_fresh on earning (batch_step_id) where sheet_id is null;
create index earning_step on earning (batch_step_id);
create index earning_contributor on earning (contributor_id, earned_ms);
create index earning_sheet on earning (sheet_id);

-- what language models have cost a batch, as posted: the rest is still to be
create table batch_ai (
    batch_id bigint primary key references batch_pay,
    posted_minor bigint not null
);
