-- Who uses the platform. Times are milliseconds UTC (`_ms`), as everywhere.

-- an organisation that hands work over
create table client (
    id bigint generated always as identity primary key,
    slug text not null unique,
    name text not null,
    created_ms bigint not null
);

-- a person who can log in
create table account (
    id bigint generated always as identity primary key,
    email text not null unique check (email = lower(email)),
    name text not null,
    password_hash text not null,
    locale text not null default 'en',
    created_ms bigint not null,
    disabled_ms bigint
);

-- what an account may do for the whole platform
create table account_role (
    account_id bigint not null references account,
    role text not null check (role in ('operator', 'steward')),
    granted_ms bigint not null,
    primary key (account_id, role)
);

-- an account that acts for a client
create table membership (
    client_id bigint not null references client,
    account_id bigint not null references account,
    created_ms bigint not null,
    primary key (client_id, account_id)
);
create index membership_account on membership (account_id);

-- who answers tasks: a person (with an account) or an agent, in one table
create table contributor (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('person', 'agent')),
    account_id bigint unique references account,
    name text not null,
    -- a program that plays a person; shown as simulated wherever it appears
    simulated boolean not null default false,
    state text not null default 'active' check (state in ('active', 'paused')),
    -- what the contributor has shown to master; steps ask for skills
    skills text[] not null default '{}',
    created_ms bigint not null
);

-- a login of the pages; the cookie holds the token, we hold its hash
create table session (
    token_hash bytea primary key,
    account_id bigint not null references account,
    created_ms bigint not null,
    expires_ms bigint not null
);
create index session_account on session (account_id);

-- a key for programs, acting for a client, a contributor or an operator's account
create table api_key (
    id bigint generated always as identity primary key,
    token_hash bytea not null unique,
    -- first characters of the key, so that a person can tell keys apart
    prefix text not null,
    name text not null,
    account_id bigint references account,
    client_id bigint references client,
    contributor_id bigint references contributor,
    scopes text[] not null,
    created_ms bigint not null,
    revoked_ms bigint,
    check (num_nonnulls(account_id, client_id, contributor_id) = 1)
);

-- a link that lets its holder set up an account once (first operator, invitation, new password)
create table invitation (
    token_hash bytea primary key,
    -- the account will have this address; null = the holder says which
    email text,
    -- void as soon as there is an operator
    first_run boolean not null default false,
    -- lets its holder set a new password for this account
    account_id bigint references account,
    roles text[] not null default '{}',
    client_id bigint references client,
    contributor boolean not null default false,
    created_ms bigint not null,
    expires_ms bigint not null,
    used_ms bigint
);

-- every state change by a person or by a key, for ever
create table audit_log (
    id bigint generated always as identity primary key,
    at_ms bigint not null,
    account_id bigint,
    api_key_id bigint,
    client_id bigint,
    -- verb.noun, for example 'create.batch'
    action text not null,
    subject text not null,
    subject_id text not null,
    detail jsonb not null default '{}'
);
create index audit_log_client on audit_log (client_id, id);
create index audit_log_subject on audit_log (subject, subject_id, id);

create function audit_log_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit_log is append-only';
end $$;
create trigger audit_log_append_only before update or delete on audit_log
    for each row execute function audit_log_is_append_only();

-- replies kept for requests that named an Idempotency-Key
create table idempotency (
    principal text not null,
    key text not null,
    request_hash bytea not null,
    status smallint,
    response bytea,
    created_ms bigint not null,
    primary key (principal, key)
);
create index idempotency_age on idempotency (created_ms);
