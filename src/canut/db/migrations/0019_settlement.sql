-- Pay periods that were settled, and pay slips: what was worked, what it brought, and what was
-- missing to the floor.

create table pay_period (
    id bigint generated always as identity primary key,
    from_ms bigint not null unique,
    until_ms bigint not null unique,
    begun_ms bigint not null,
    -- null: its slips are written, and not all of them are paid yet
    settled_ms bigint,
    -- null: the program
    account_id bigint references account,
    check (from_ms < until_ms and until_ms <= begun_ms)
);

-- A task of a contributor, with what a settlement found of it that no earlier one had: mostly all
-- of it; of work of periods that were settled before, what changed since.
create table pay_line (
    task_id bigint not null,
    contributor_id bigint not null references contributor,
    -- settled in, and worked in
    period_id bigint not null references pay_period,
    of_period bigint not null references pay_period,
    batch_id bigint not null references batch_pay,
    batch_step_id bigint not null,
    agreed_ms bigint not null,
    pay_minor bigint not null,
    primary key (task_id, contributor_id, period_id)
);
create index pay_line_slip on pay_line (contributor_id, of_period, period_id);
create index pay_line_period on pay_line (period_id);

-- exams, paid by the hour in the period in which they ended
create table pay_exam (
    exam_id bigint primary key references exam,
    contributor_id bigint not null references contributor,
    period_id bigint not null references pay_period,
    currency text not null,
    agreed_ms bigint not null check (agreed_ms >= 0)
);
create index pay_exam_slip on pay_exam (contributor_id, period_id);

-- A pay slip: everything known of the work of a period when this was written, and what was missing
-- to the floor. Where more becomes known another follows, and pays what is missing then.
create table pay_slip (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    currency text not null,
    of_period bigint not null references pay_period,
    period_id bigint not null references pay_period,
    jurisdiction text not null,
    -- of an hour
    floor_minor bigint not null check (floor_minor > 0),
    n_tasks bigint not null,
    agreed_ms bigint not null check (agreed_ms >= 0),
    qualifying_minor bigint not null check (qualifying_minor >= 0),
    -- top-ups of earlier slips of the same period
    before_minor bigint not null check (before_minor >= 0),
    topup_minor bigint not null,
    exam_ms bigint not null default 0 check (exam_ms >= 0),
    exam_minor bigint not null default 0,
    paid_ms bigint,
    -- of the books: top-up and hours, and contributions on them
    transfers bigint[] not null default '{}',
    unique (contributor_id, currency, of_period, period_id),
    constraint pay_slip_reaches_the_floor check (topup_minor = greatest(
        (floor_minor * agreed_ms + 3599999) / 3600000 - qualifying_minor - before_minor, 0)),
    constraint pay_slip_hours check (
        exam_minor = (floor_minor * exam_ms + 3599999) / 3600000)
);
create index pay_slip_unpaid on pay_slip (period_id, id) where paid_ms is null;
create index pay_slip_period on pay_slip (period_id);
