-- Batches that are being made on the pages: nothing is lost between one visit and the next.

create table draft (
    id bigint generated always as identity primary key,
    client_id bigint not null references client,
    account_id bigint not null references account,
    -- rises with every change, so that two windows never overwrite each other unseen
    revision integer not null default 1,
    -- what the file is called in the folder of uploads, and what its owner calls it
    file text not null,
    file_name text not null,
    bytes bigint not null,
    -- by step: the fields of its form as they were sent, right or wrong
    said jsonb not null default '{}',
    -- what the file holds: its columns and its first rows
    facts jsonb not null,
    -- what the last look at every row found
    found jsonb,
    -- classes from a file, too many for a form
    options jsonb,
    changed_by bigint not null references account,
    created_ms bigint not null,
    changed_ms bigint not null,
    expires_ms bigint not null,
    -- what became of it
    batch_id bigint references batch
);
create index draft_client on draft (client_id, changed_ms desc) where batch_id is null;
create index draft_expires on draft (expires_ms);
