-- Payouts: where contributors want their money, what they asked for, the runs that pay it, and what
-- the bank's statements said of them. The money itself is in the books: a request is a hold.

-- Where a contributor's money goes; a change ends one row and makes another.
create table payout_account (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    -- 'iban', or the slug of a mobile-money provider
    way text not null,
    -- name, IBAN or number, address; the key is in a file, not here (pay/payouts/vault.py)
    sealed bytea not null,
    -- what may be shown
    masked text not null,
    -- the same for the same IBAN or number: a hash under the key of that file
    mark bytea not null,
    created_ms bigint not null,
    ended_ms bigint
);
create unique index payout_account_in_force on payout_account (contributor_id)
    where ended_ms is null;
create index payout_account_mark on payout_account (mark) where ended_ms is null;

-- Payouts of one way and currency that are paid together, once two people have approved.
create table payout_run (
    id bigint generated always as identity primary key,
    way text not null,
    currency text not null,
    state text not null default 'assembled'
        check (state in ('assembled', 'approved', 'cancelled')),
    n_payouts integer not null check (n_payouts > 0),
    total bigint not null check (total > 0),
    assembled_ms bigint not null,
    -- with the second approval
    approved_ms bigint
);

create table payout_approval (
    run_id bigint not null references payout_run,
    account_id bigint not null references account,
    at_ms bigint not null,
    primary key (run_id, account_id)
);

create table payout (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    payout_account_id bigint not null references payout_account,
    way text not null,
    currency text not null,
    amount bigint not null check (amount > 0),
    -- whoever asks again with the same key gets the same payout
    key text not null,
    -- approved: posted, and on its way; failed: back on the balance
    state text not null default 'requested'
        check (state in ('requested', 'cancelled', 'approved', 'paid', 'failed')),
    run_id bigint references payout_run,
    -- the transfer that holds the money
    hold bigint,
    -- why it failed
    reason text not null default '',
    requested_ms bigint not null,
    ended_ms bigint,
    unique (contributor_id, key),
    check (state not in ('approved', 'paid', 'failed') or run_id is not null)
);
create index payout_waiting on payout (way, currency, id)
    where state = 'requested' and run_id is null;
create index payout_of_run on payout (run_id, id) where run_id is not null;
create index payout_of_contributor on payout (contributor_id, id);

-- A statement is read once; the same one again has the same report.
create table bank_statement (
    id bigint generated always as identity primary key,
    iban text not null,
    -- its id, as the bank numbers it
    statement text not null,
    digest bytea not null,
    report jsonb not null,
    account_id bigint references account,
    read_ms bigint not null,
    unique (iban, statement)
);
