-- A promise is about all decisions of a batch together. How doubtful those were that are taken says
-- whether it leaves room for one below the target.
alter table batch_step
    -- sum of the chances that a decision is wrong, as far as is believed, over so many decisions
    add column doubt double precision not null default 0,
    add column doubted integer not null default 0;
