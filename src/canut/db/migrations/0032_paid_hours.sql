-- Hours that are paid as such, beside tasks: training, panel duty, and waiting that the platform
-- caused. Exams were paid so from the beginning; the lines of slips are of all of them now.

create table paid_hours (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    kind text not null check (kind in ('training', 'panel', 'waiting')),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    -- when it was, and how long of that is stated
    from_ms bigint not null,
    until_ms bigint not null,
    stated_ms bigint not null check (stated_ms between 1 and until_ms - from_ms),
    reason text not null,
    -- the task screen noted it by itself, and nobody wrote a reason
    noted boolean not null default false,
    -- null: the command line
    stated_by bigint references account,
    opened_ms bigint not null check (until_ms <= opened_ms),
    -- null: nobody has decided yet
    decided_ms bigint,
    agreed_ms bigint check (agreed_ms between 0 and stated_ms),
    why text,
    decided_by bigint references account,
    -- the milliseconds that are paid: no task and no exam counts them too
    intervals int8multirange not null default '{}',
    check (noted or reason <> ''),
    check (num_nonnulls(decided_ms, agreed_ms, why) in (0, 3)),
    check (intervals <@ int8multirange(int8range(from_ms, until_ms)))
);
create index paid_hours_contributor on paid_hours (contributor_id, until_ms);
create index paid_hours_open on paid_hours (id) where decided_ms is null;

-- A line of a slip: an exam, or hours that were agreed, each on one slip.
alter table pay_exam rename to hours_line;
alter table hours_line drop constraint pay_exam_pkey;
alter table hours_line alter column exam_id drop not null;
alter table hours_line
    add column hours_id bigint references paid_hours,
    add constraint hours_line_exam unique (exam_id),
    add constraint hours_line_hours unique (hours_id),
    add constraint hours_line_source check (num_nonnulls(exam_id, hours_id) = 1);
alter index pay_exam_slip rename to hours_line_slip;

alter table pay_slip rename column exam_ms to hours_ms;
alter table pay_slip rename column exam_minor to hours_minor;
