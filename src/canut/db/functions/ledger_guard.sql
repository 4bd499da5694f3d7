-- The rules of the books, held against whoever writes to them: the posting function, and any hand
-- in psql.

-- ledger_stays: what is posted is never changed nor removed
create or replace function ledger_stays() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a correction is a reversal', tg_table_name
        using errcode = 'restrict_violation';
end $$;

create or replace trigger ledger_transfer_stays before update or delete or truncate
    on ledger_transfer for each statement execute function ledger_stays();
create or replace trigger ledger_group_stays before update or delete or truncate
    on ledger_group for each statement execute function ledger_stays();
create or replace trigger ledger_period_stays before update or delete or truncate
    on ledger_period for each statement execute function ledger_stays();
create or replace trigger ledger_closing_stays before update or delete or truncate
    on ledger_closing for each statement execute function ledger_stays();
create or replace trigger ledger_account_stays before delete or truncate
    on ledger_account for each statement execute function ledger_stays();
create or replace trigger ledger_account_is_what_it_is
    before update of id, kind, owner_id, currency, opened_ms
    on ledger_account for each statement execute function ledger_stays();

-- ledger_account_empty: an account begins with nothing; only transfers move its sums
create or replace function ledger_account_empty() returns trigger language plpgsql as $$
begin
    if (new.debits, new.credits, new.debits_pending, new.credits_pending, new.credited_ms)
        is distinct from (0, 0, 0, 0, 0) then
        raise exception 'a new account holds nothing' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create or replace trigger ledger_account_begins before insert on ledger_account
    for each row execute function ledger_account_empty();

-- ledger_account_moved: sums change inside the trigger of transfers only (depth 1 is this one
-- alone, called by a statement of somebody's)
create or replace function ledger_account_moved() returns trigger language plpgsql as $$
begin
    if pg_trigger_depth() < 2 then
        raise exception 'only transfers move the sums of an account'
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
create or replace trigger ledger_account_moves
    after update of debits, credits, debits_pending, credits_pending, credited_ms
    on ledger_account for each statement execute function ledger_account_moved();

-- ledger_applied: refuses a statement of which one transfer breaks a rule; else moves the sums,
-- each account once, however many transfers touch it
create or replace function ledger_applied() returns trigger language plpgsql
-- plans for few rows and many alike: each row is a lookup
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    v_bad text;
    v_closed bigint := coalesce((select max(until_ms) from ledger_period), 0);
    v_dips jsonb;
    v_debited bigint[];
    v_from bigint[];
begin
    -- what most are, each pair of accounts once
    select format('transfer %s (%s)', n.key, n.kind) into v_bad
    from (select f.kind, f.debit_account, f.credit_account, f.currency, min(f.key) as key,
              min(f.at_ms) as at_ms
          from fresh f where f.resolves is null and f.reverses is null
          group by f.kind, f.debit_account, f.credit_account, f.currency) n
    left join ledger_account d on d.id = n.debit_account
    left join ledger_account c on c.id = n.credit_account
    where (d.currency = n.currency and c.currency = n.currency and n.at_ms >= v_closed
           and exists (select from ledger_flow f where f.kind = n.kind
               and f.debit_kind = d.kind and f.credit_kind = c.kind)) is not true
    limit 1;
    if v_bad is null then
        -- of resolutions and reversals, the target is what they say, whole
        select format('transfer %s (%s)', n.key, n.kind) into v_bad
        from fresh n
        left join ledger_account d on d.id = n.debit_account
        left join ledger_transfer t on t.id = coalesce(n.resolves, n.reverses)
        where coalesce(n.resolves, n.reverses) is not null
          and (t.currency = n.currency and t.kind = n.kind and n.at_ms >= v_closed
            and case when n.resolves is not null then
                t.mode = 'pending' and t.debit_account = n.debit_account
                and t.credit_account = n.credit_account
                and (n.amount = t.amount or n.mode = 'post' and n.amount < t.amount)
            else
                t.mode in ('posted', 'post') and t.reverses is null
                and t.debit_account = n.credit_account and t.credit_account = n.debit_account
                and t.amount = n.amount and d.kind <> 'indivisible_reserve'
            end) is not true
        limit 1;
    end if;
    if v_bad is not null then
        raise exception 'the ledger refuses %', v_bad using errcode = 'check_violation';
    end if;

    with side as (
        select n.debit_account as id,
            case when n.mode in ('posted', 'post') then n.amount else 0 end as debits,
            0 as credits,
            case when n.mode = 'pending' then n.amount else 0 end - coalesce(h.amount, 0)
                as debits_pending,
            0 as credits_pending,
            0 as credited_ms,
            case when n.mode in ('posted', 'post') then n.at_ms end as debited_ms
        from fresh n left join ledger_transfer h on h.id = n.resolves
        union all
        select n.credit_account, 0,
            case when n.mode in ('posted', 'post') then n.amount else 0 end,
            0,
            case when n.mode = 'pending' then n.amount else 0 end - coalesce(h.amount, 0),
            case when n.mode in ('posted', 'post') then n.at_ms else 0 end,
            null
        from fresh n left join ledger_transfer h on h.id = n.resolves
    ), net as (
        select id, sum(debits) as debits, sum(credits) as credits,
            sum(debits_pending) as debits_pending, sum(credits_pending) as credits_pending,
            max(credited_ms) as credited_ms, min(debited_ms) as debited_ms
        from side group by id
    ), moved as (
        update ledger_account a
        set debits = a.debits + net.debits, credits = a.credits + net.credits,
            debits_pending = a.debits_pending + net.debits_pending,
            credits_pending = a.credits_pending + net.credits_pending,
            credited_ms = greatest(a.credited_ms, net.credited_ms)
        from net where a.id = net.id
        -- a debit dated before a credit may leave the past short, though today is not
        returning a.id, case when a.kind not in ('bank', 'coop_fee')
            and net.debited_ms < a.credited_ms then net.debited_ms end as look_from
    )
    select array_agg(id), array_agg(look_from) into v_debited, v_from
    from moved where look_from is not null;

    if v_debited is not null then
        v_dips := ledger_dips(v_debited, v_from);
        if v_dips is not null then
            raise exception 'the ledger refuses a debit dated before its money came'
                using errcode = 'LE001', detail = v_dips::text;
        end if;
    end if;
    return null;
end $$;

-- ledger_dips: accounts whose balance was below nothing at a date from the one given on, as a list
-- of {account, at_ms, balance}, the first date of each; null where none was. Walks back from the
-- balance of today, so that it reads no more than what is dated since.
create or replace function ledger_dips(p_accounts bigint[], p_from bigint[])
returns jsonb language sql stable as $$
    select jsonb_agg(jsonb_build_object('account', u.id, 'at_ms', low.at_ms,
                                        'balance', low.balance))
    from unnest(p_accounts, p_from) as u (id, from_ms)
    join ledger_account a on a.id = u.id
    cross join lateral (
        select past.at_ms, past.balance from (
            select day.at_ms, (a.credits - a.debits
                - coalesce(sum(day.amount) over (order by day.at_ms desc
                    rows between unbounded preceding and 1 preceding), 0))::bigint as balance
            from (select e.at_ms, sum(e.amount) as amount from ledger_entry e
                  where e.account_id = a.id and e.at_ms >= u.from_ms group by e.at_ms) day
        ) past
        where past.balance < 0 order by past.at_ms limit 1
    ) low
$$;

create or replace trigger ledger_transfer_applies after insert on ledger_transfer
    referencing new table as fresh for each statement execute function ledger_applied();
