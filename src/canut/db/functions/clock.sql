-- now_ms: milliseconds UTC at this very moment (not at the start of the transaction). The clock
-- of the database is the one clock that every machine shares.
create or replace function now_ms() returns bigint language sql volatile
    return (extract(epoch from clock_timestamp()) * 1000)::bigint;
