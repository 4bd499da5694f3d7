-- What the co-op shows everybody of a month whose books are closed. It stays what it was then: what
-- becomes known later is of a later month.
create table open_month (
    from_ms bigint primary key,
    until_ms bigint not null unique check (from_ms < until_ms),
    published_ms bigint not null check (published_ms >= until_ms),
    -- by currency: canut.pay.open_accounts.model.Share; [] where no money moved
    shares jsonb not null
);
