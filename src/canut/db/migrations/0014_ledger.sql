-- The books: accounts, transfers between two of them, and periods that close. Money is in minor
-- units of its currency. What is posted stays: a correction is a reversal. db/functions/ledger.sql
-- posts; db/functions/ledger_guard.sql holds the rules against whoever writes here.

-- which kind of transfer may go from which kind of account to which: nothing else may. There is no
-- way out of the indivisible reserve. pay/ledger/flows.py says the same, and a test compares them.
create table ledger_flow (
    kind text not null,
    debit_kind text not null check (debit_kind <> 'indivisible_reserve'),
    credit_kind text not null,
    primary key (kind, debit_kind, credit_kind)
);
insert into ledger_flow (kind, debit_kind, credit_kind) values
    ('deposit', 'bank', 'client_deposit'),
    ('refund', 'client_deposit', 'bank'),
    ('fund', 'client_deposit', 'batch_escrow'),
    ('fund', 'client_deposit', 'topup_reserve'),
    ('fund', 'batch_escrow', 'topup_reserve'),
    ('release', 'batch_escrow', 'client_deposit'),
    ('release', 'topup_reserve', 'client_deposit'),
    ('accrue', 'batch_escrow', 'contributor_payable'),
    ('bonus', 'batch_escrow', 'contributor_payable'),
    ('hourly', 'batch_escrow', 'contributor_payable'),
    ('hourly', 'coop_fee', 'contributor_payable'),
    ('topup', 'topup_reserve', 'contributor_payable'),
    ('topup', 'batch_escrow', 'contributor_payable'),
    ('topup', 'coop_fee', 'contributor_payable'),
    ('fee', 'batch_escrow', 'coop_fee'),
    ('contribution', 'batch_escrow', 'social_payable'),
    ('contribution', 'topup_reserve', 'social_payable'),
    ('contribution', 'coop_fee', 'social_payable'),
    ('contribution', 'contributor_payable', 'social_payable'),
    ('ai', 'batch_escrow', 'ai_payable'),
    ('ai', 'coop_fee', 'ai_payable'),
    ('dispute', 'batch_escrow', 'disputed'),
    ('dispute', 'contributor_payable', 'disputed'),
    ('uphold', 'disputed', 'contributor_payable'),
    ('dismiss', 'disputed', 'batch_escrow'),
    ('dismiss', 'disputed', 'client_deposit'),
    ('payout', 'contributor_payable', 'payout_clearing'),
    ('payout', 'member_capital', 'payout_clearing'),
    ('settle', 'payout_clearing', 'bank'),
    ('bounce', 'bank', 'payout_clearing'),
    ('bounce', 'payout_clearing', 'contributor_payable'),
    ('bounce', 'payout_clearing', 'member_capital'),
    ('remit', 'social_payable', 'bank'),
    ('remit', 'ai_payable', 'bank'),
    ('expense', 'coop_fee', 'bank'),
    ('income', 'bank', 'coop_fee'),
    ('provident', 'coop_fee', 'provident_fund'),
    ('provident', 'contributor_payable', 'provident_fund'),
    ('benefit', 'provident_fund', 'contributor_payable'),
    ('subscribe', 'bank', 'member_capital'),
    ('subscribe', 'contributor_payable', 'member_capital'),
    ('allocate', 'coop_fee', 'indivisible_reserve'),
    ('allocate', 'coop_fee', 'provident_fund'),
    ('allocate', 'coop_fee', 'contributor_payable'),
    ('allocate', 'coop_fee', 'member_capital');

-- The sums are kept so that a balance is one lookup; they always are the fold of the transfers.
create table ledger_account (
    id bigint generated always as identity primary key,
    kind text not null check (kind in (
        'bank', 'client_deposit', 'batch_escrow', 'topup_reserve', 'contributor_payable',
        'disputed', 'social_payable', 'ai_payable', 'coop_fee', 'provident_fund',
        'indivisible_reserve', 'member_capital', 'payout_clearing')),
    -- the client, batch or contributor, as the kind says; 0: the co-op itself
    owner_id bigint not null,
    -- ISO 4217
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    opened_ms bigint not null,
    debits bigint not null default 0,
    credits bigint not null default 0,
    -- held by transfers that are neither posted nor voided yet
    debits_pending bigint not null default 0 check (debits_pending >= 0),
    credits_pending bigint not null default 0 check (credits_pending >= 0),
    -- date of the newest posted credit: a debit after it cannot leave the past short
    credited_ms bigint not null default 0,
    unique (kind, owner_id, currency),
    constraint ledger_account_owner check (owner_id >= 0 and (owner_id > 0) = (kind in (
        'client_deposit', 'batch_escrow', 'topup_reserve', 'contributor_payable', 'disputed',
        'member_capital'))),
    -- the bank is what others owe us; the co-op may make a loss; nobody else's money is lent
    constraint ledger_account_covered check (
        kind in ('bank', 'coop_fee') or credits - debits - debits_pending >= 0)
) with (fillfactor = 70);

-- what was posted together, all or nothing
create table ledger_group (
    id bigint generated always as identity primary key,
    recorded_ms bigint not null,
    -- who posted it; null: the program
    account_id bigint references account,
    n_transfers integer not null check (n_transfers > 0)
);

-- One movement of money, or of a hold on it. References to accounts and groups are checked once
-- a statement by the guard: foreign keys would look up each row apart, at twice the cost.
create table ledger_transfer (
    id bigint generated always as identity primary key,
    group_id bigint not null,
    -- whoever posts the same key again gets the same transfer
    key text collate "C" not null unique,
    kind text not null,
    -- posted; pending (a hold); post and void resolve a hold, once
    mode text not null check (mode in ('posted', 'pending', 'post', 'void')),
    debit_account bigint not null,
    credit_account bigint not null check (credit_account <> debit_account),
    currency text not null,
    amount bigint not null check (amount > 0),
    -- the day it counts for, which may be before the day it was recorded, in an open period
    at_ms bigint not null check (at_ms > 0),
    why text not null,
    -- what it is about, for programs ("batch:7/task:93")
    reference text not null,
    -- the hold that this posts or voids
    resolves bigint,
    -- the transfer that this takes back
    reverses bigint,
    -- a hold that is not posted by then is void
    expires_ms bigint,
    check ((mode in ('post', 'void')) = (resolves is not null)),
    check (reverses is null or mode = 'posted'),
    check (expires_ms is null or mode = 'pending')
);
-- balances at a date and statements
create index ledger_transfer_debit on ledger_transfer (debit_account, at_ms, id);
create index ledger_transfer_credit on ledger_transfer (credit_account, at_ms, id);
-- a hold resolves at most once, and nothing is taken back twice
create unique index ledger_transfer_resolves on ledger_transfer (resolves)
    where resolves is not null;
create unique index ledger_transfer_reverses on ledger_transfer (reverses)
    where reverses is not null;
-- holds of an account, and those that end
create index ledger_transfer_pending on ledger_transfer (debit_account, id) where mode = 'pending';
create index ledger_transfer_expires on ledger_transfer (expires_ms) where expires_ms is not null;
-- closing a period reads its dates, which lie together
create index ledger_transfer_at on ledger_transfer using brin (at_ms);

-- what moves balances, seen from each account: credits are positive
create view ledger_entry as
    select credit_account as account_id, id as transfer_id, currency, at_ms, amount
    from ledger_transfer where mode in ('posted', 'post')
    union all
    select debit_account, id, currency, at_ms, -amount
    from ledger_transfer where mode in ('posted', 'post');

-- Periods that are closed: nothing may be dated before the last `until_ms` any more.
create table ledger_period (
    until_ms bigint primary key,
    closed_ms bigint not null,
    account_id bigint references account,
    -- the newest transfer at that moment: later ones are dated later
    last_transfer bigint not null
);

-- The sums of an account when a period that moved it closed: balances of the past begin there.
create table ledger_closing (
    account_id bigint not null,
    until_ms bigint not null,
    debits bigint not null,
    credits bigint not null,
    primary key (account_id, until_ms)
);

-- a row of a group to be posted, as ledger_post (db/functions/ledger.sql) completed it
create type ledger_move as (
    place integer,
    key text,
    kind text,
    mode text,
    debit_account bigint,
    credit_account bigint,
    currency text,
    amount bigint,
    at_ms bigint,
    -- the caller named the date; else it is the moment of posting
    dated boolean,
    why text,
    reference text,
    resolves bigint,
    reverses bigint,
    expires_ms bigint,
    -- amount of the hold that it resolves
    held bigint,
    debit_kind text,
    debit_currency text,
    credit_kind text,
    credit_currency text
);
