-- What beliefs are made of: who confuses what with what, and whose answers are not independent.

-- How often a contributor said one option of a list where another was right, in expectation, in
-- millionths of an answer: whole numbers, so that sums do not depend on their order, and any
-- number of engines that add to them agree to the last digit. Decided tasks only: a task is added
-- in the transaction that decides it. Sweeps put all of them in order again.
create table confusion (
    process_id bigint not null,
    step_slug text not null,
    -- hash of the list of options: another list begins anew
    options text not null,
    -- 0: everybody
    contributor_id bigint not null,
    -- place of the option that was said
    said smallint not null,
    -- by place of the option that is right
    truth bigint[] not null,
    primary key (process_id, step_slug, options, contributor_id, said)
) with (fillfactor = 60);

alter table step_model
    -- answers of the step when it was swept
    add column n_answers bigint not null default 0;

-- Contributors who gave the same wrong answers more often than chance, as the last sweep found
-- them: their voices weigh less where they meet, and a person may look. Evidence, never a verdict.
create table alike (
    process_id bigint not null,
    step_slug text not null,
    one bigint not null,
    other bigint not null,
    -- tasks that both answered
    common bigint not null,
    -- the same answers to them that are believed to be wrong, and how many chance would give
    same_wrong double precision not null,
    chance double precision not null,
    -- probability that any of all the pairs looked at had as many by chance
    p_value double precision not null,
    -- how far they are one voice, 0 to 1
    share real not null,
    found_ms bigint not null,
    primary key (process_id, step_slug, one, other),
    check (one < other)
);
