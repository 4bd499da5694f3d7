-- How results leave: webhooks, with every attempt kept.

create table webhook (
    id bigint generated always as identity primary key,
    client_id bigint not null references client,
    url text not null,
    -- signing secret (Standard Webhooks), needed in the clear to sign
    secret text not null,
    created_ms bigint not null,
    disabled_ms bigint
);
create index webhook_client on webhook (client_id) where disabled_ms is null;

create table webhook_delivery (
    id bigint generated always as identity primary key,
    webhook_id bigint not null references webhook,
    -- the same for every attempt, so that a receiver can drop repeats
    event_id text not null,
    event_type text not null,
    payload jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
    attempts smallint not null default 0,
    last_status smallint,
    last_error text,
    created_ms bigint not null,
    next_ms bigint,
    ended_ms bigint,
    unique (webhook_id, event_id)
);
create index webhook_delivery_waiting on webhook_delivery (next_ms) where state = 'waiting';
