-- Keys that the program makes for itself, once a database (canut/db/secret.py). They go with a
-- backup, so that a restored database keeps its names; no export and no page holds them.

create table secret (
    name text primary key,
    value bytea not null,
    created_ms bigint not null
);
