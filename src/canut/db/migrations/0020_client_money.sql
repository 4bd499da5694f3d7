-- Money of clients: tax in the books, whom an invoice names, invoices, and payments by a provider.

-- Tax that clients pay and the co-op passes on. pay/ledger/flows.py says the same.
alter table ledger_account drop constraint ledger_account_kind_check;
alter table ledger_account add constraint ledger_account_kind_check check (kind in (
    'bank', 'client_deposit', 'batch_escrow', 'topup_reserve', 'contributor_payable',
    'disputed', 'social_payable', 'ai_payable', 'vat_payable', 'coop_fee', 'provident_fund',
    'indivisible_reserve', 'member_capital', 'payout_clearing'));
insert into ledger_flow (kind, debit_kind, credit_kind) values
    ('vat', 'client_deposit', 'vat_payable'),
    ('vat', 'vat_payable', 'client_deposit'),
    ('remit', 'vat_payable', 'bank');

-- whom invoices to a client name
create table client_billing (
    client_id bigint primary key references client,
    name text not null,
    -- canut.pay.identity.Address
    address jsonb not null,
    vat_id text not null default '',
    -- canut.pay.identity.Vat; null: as the co-op's
    vat jsonb,
    locale text not null default 'en',
    changed_ms bigint not null
);

-- Numbers of invoices have no gap: the row is locked until the invoice is there.
create table invoice_series (
    series text primary key,
    last bigint not null check (last >= 0)
);

-- What a client was billed, or given back (a credit note); never changed. Amounts of a credit note
-- are positive: what it gives back.
create table invoice (
    id bigint generated always as identity primary key,
    number text not null unique,
    series text not null references invoice_series,
    position bigint not null,
    kind text not null check (kind in ('invoice', 'credit_note')),
    client_id bigint not null references client,
    -- the invoice that a credit note corrects
    of_invoice bigint references invoice,
    currency text not null,
    -- work dated before this, and not billed before
    until_ms bigint not null,
    issued_ms bigint not null,
    net bigint not null check (net >= 0),
    vat bigint not null check (vat >= 0),
    -- of net and tax: taken from the deposit when it was issued
    prepaid bigint not null check (prepaid between 0 and net + vat),
    -- who, to whom, how taxed, in which language: canut.pay.money.model.Papers
    papers jsonb not null,
    why text not null default '',
    xml bytea not null,
    pdf bytea not null,
    account_id bigint references account,
    unique (series, position),
    check ((kind = 'credit_note') >= (of_invoice is not null))
);
create index invoice_client on invoice (client_id, id);
create index invoice_corrected on invoice (of_invoice) where of_invoice is not null;

create table invoice_line (
    invoice_id bigint not null references invoice,
    place integer not null,
    batch_id bigint not null references batch,
    batch_name text not null,
    -- what for
    part text not null check (part in ('pay', 'topup', 'social', 'ai', 'fee')),
    net bigint not null,
    primary key (invoice_id, place)
);
create index invoice_line_batch on invoice_line (batch_id, part);

-- tax of an invoice that was taken from the deposit, then or later, or given back
create table invoice_vat (
    invoice_id bigint primary key references invoice,
    transfer_id bigint not null,
    taken_ms bigint not null
);

-- A payment that a client was asked to make at a provider.
create table payment (
    id bigint generated always as identity primary key,
    client_id bigint not null references client,
    provider text not null,
    currency text not null,
    amount bigint not null check (amount > 0),
    -- whoever asks again with the same key gets the same payment
    key text not null,
    state text not null default 'begun'
        check (state in ('begun', 'open', 'pending', 'paid', 'failed', 'expired')),
    -- what the provider calls it, and where the client pays
    session text,
    url text not null default '',
    -- the deposit, in the books
    transfer_id bigint,
    account_id bigint references account,
    begun_ms bigint not null,
    changed_ms bigint not null,
    unique (client_id, key),
    unique (provider, session)
);

-- What a provider told us, each once.
create table payment_event (
    provider text not null,
    event text not null,
    kind text not null,
    payment_id bigint references payment,
    -- what we made of it
    outcome text not null,
    at_ms bigint not null,
    primary key (provider, event)
);
