-- ledger_post: post a group of moves, all or nothing. p_moves is a list of objects, each with a
-- `move`: transfer (now, or a hold with `pending`), post and void (of a hold), reverse.
-- `ids` has the transfer of each move, those that were there before too: a retry is safe.
-- Where anything is wrong, `problems` names every fault of every move, and nothing is posted:
-- [{place, fault, ...what it is about}], places counted from 1.
create or replace function ledger_post(p_moves json, p_now_ms bigint, p_account bigint)
returns table (ids bigint[], problems jsonb) language plpgsql
-- each move is a few lookups, in a book of any size: no plan that reads whole tables
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    v_moves ledger_move[];
    v_fresh ledger_move[];
    -- the transfer that has the key of each move already; 0: none
    v_old bigint[];
    v_group bigint;
begin
    -- a period does not close while something is posted into it (ledger_close)
    perform pg_advisory_xact_lock_shared(ledger_lock());
    v_moves := ledger_completed(p_moves, p_now_ms);
    -- in the order of accounts, as everywhere, so that no two groups wait in a circle; whoever
    -- posts the same keys again waits here, and then finds the first
    perform from ledger_account a
    where a.id in (select m.debit_account from unnest(v_moves) m
                   union select m.credit_account from unnest(v_moves) m)
    order by a.id for no key update;
    v_old := array(
        select coalesce(t.id, 0) from unnest(v_moves) m
        left join ledger_transfer t on t.key = m.key order by m.place);
    v_fresh := array(
        select m from unnest(v_moves) m where v_old[m.place] = 0 order by m.place);
    if cardinality(v_fresh) < cardinality(v_moves) or ledger_odd(v_fresh) then
        problems := ledger_problems(v_moves, v_fresh);
        if problems is not null then
            return next;
            return;
        end if;
    end if;
    ids := array(
        select case when o.id > 0 then o.id else nextval('ledger_transfer_id_seq') end
        from unnest(v_old) with ordinality as o (id, place) order by o.place);
    if cardinality(v_fresh) = 0 then
        return next;
        return;
    end if;
    -- within a block of its own, which gives back what it did but keeps the accounts locked
    begin
        insert into ledger_group (recorded_ms, account_id, n_transfers)
        values (p_now_ms, p_account, cardinality(v_fresh)) returning id into v_group;
        insert into ledger_transfer (id, group_id, key, kind, mode, debit_account, credit_account,
            currency, amount, at_ms, why, reference, resolves, reverses, expires_ms)
        overriding system value
        select ids[m.place], v_group, m.key, m.kind, m.mode, m.debit_account, m.credit_account,
            m.currency, m.amount, m.at_ms, m.why, m.reference, m.resolves, m.reverses, m.expires_ms
        from unnest(v_fresh) m;
    exception when check_violation then
        -- the sums say that an account is short; who asks too much is looked up only then
        ids := null;
        problems := ledger_problems(v_moves, v_fresh);
        if problems is null then
            raise;
        end if;
    end;
    return next;
end $$;

-- ledger_odd: whether a look at the moves alone finds any that ledger_problems must judge: one pass
-- over thousands that are, nearly always, all in order
create or replace function ledger_odd(p_fresh ledger_move[]) returns boolean language plpgsql as $$
declare
    v_closed bigint := coalesce((select max(until_ms) from ledger_period), 0);
begin
    return exists (
        select from unnest(p_fresh) f
        where f.at_ms < v_closed or f.resolves is not null or f.reverses is not null
           or (f.currency = f.debit_currency and f.currency = f.credit_currency) is not true
           or not exists (select from ledger_flow w where w.kind = f.kind
                  and w.debit_kind = f.debit_kind and w.credit_kind = f.credit_kind));
end $$;

-- ledger_lock: key of the advisory lock between posting (shared) and closing ("ledge" in ASCII)
create or replace function ledger_lock() returns bigint language sql immutable as
    'select 465557546853';

-- ledger_completed: the moves with what they leave unsaid: the date, and of a resolution or a
-- reversal what it is about
create or replace function ledger_completed(p_moves json, p_now_ms bigint)
returns ledger_move[] language plpgsql stable as $$
begin
    return array(
        select (
            g.place, g.key, coalesce(g.kind, t.kind),
            case when g.move in ('post', 'void') then g.move
                 when g.pending then 'pending' else 'posted' end,
            side.debit, side.credit, coalesce(g.currency, t.currency),
            coalesce(g.amount, t.amount), coalesce(g.at_ms, p_now_ms), g.at_ms is not null,
            coalesce(g.why, ''), coalesce(g.reference, ''),
            case when g.move in ('post', 'void') then g.transfer end,
            case when g.move = 'reverse' then g.transfer end,
            g.expires_ms, t.amount, d.kind, d.currency, c.kind,
            c.currency)::ledger_move
        from rows from (json_to_recordset(p_moves) as (
            move text, key text, kind text, debit bigint, credit bigint, amount bigint,
            currency text, at_ms bigint, why text, reference text, pending boolean,
            expires_ms bigint, transfer bigint))
            with ordinality as g (move, key, kind, debit, credit, amount, currency, at_ms, why,
                                  reference, pending, expires_ms, transfer, place)
        left join ledger_transfer t on t.id = g.transfer
        cross join lateral (select
            case when g.move = 'reverse' then t.credit_account
                 else coalesce(g.debit, t.debit_account) end as debit,
            case when g.move = 'reverse' then t.debit_account
                 else coalesce(g.credit, t.credit_account) end as credit) side
        left join ledger_account d on d.id = side.debit
        left join ledger_account c on c.id = side.credit
        order by g.place);
end $$;

-- ledger_problems: every fault of every move, or null; p_fresh are those whose key is new. The
-- accounts must be locked.
create or replace function ledger_problems(p_moves ledger_move[], p_fresh ledger_move[])
returns jsonb language plpgsql as $$
declare
    v_closed bigint := (select max(until_ms) from ledger_period);
begin
    return (
    with fault as (
        select m.place, 'other_payload' as fault, jsonb_build_object('key', m.key) as about
        from unnest(p_moves) m join ledger_transfer o on o.key = m.key
        where cardinality(p_moves) > cardinality(p_fresh)
          and ((o.kind, o.mode, o.debit_account, o.credit_account, o.currency, o.amount, o.why,
                o.reference, o.resolves, o.reverses, o.expires_ms)
               is distinct from
               (m.kind, m.mode, m.debit_account, m.credit_account, m.currency, m.amount, m.why,
                m.reference, m.resolves, m.reverses, m.expires_ms)
               or m.dated and o.at_ms <> m.at_ms)
        union all
        select f.place, 'unknown_transfer',
            jsonb_build_object('transfer', coalesce(f.resolves, f.reverses))
        from unnest(p_fresh) f
        where coalesce(f.resolves, f.reverses) is not null and f.held is null
        union all
        select f.place, 'unknown_account', jsonb_build_object('account', x.id, 'field', x.field)
        from unnest(p_fresh) f cross join lateral (values
            (f.debit_account, f.debit_kind, 'debit'),
            (f.credit_account, f.credit_kind, 'credit')) as x (id, kind, field)
        where (f.debit_kind is null or f.credit_kind is null)
          and x.kind is null and x.id is not null
        union all
        select f.place, 'currency', jsonb_build_object('account', x.id, 'currency', f.currency,
            'of', x.currency, 'field', x.field)
        from unnest(p_fresh) f cross join lateral (values
            (f.debit_account, f.debit_currency, 'debit'),
            (f.credit_account, f.credit_currency, 'credit')) as x (id, currency, field)
        where (f.debit_currency <> f.currency or f.credit_currency <> f.currency)
          and x.currency <> f.currency
        union all
        select f.place, 'flow', jsonb_build_object('kind', f.kind, 'from', f.debit_kind,
            'to', f.credit_kind)
        from unnest(p_fresh) f
        where f.debit_kind is not null and f.credit_kind is not null
          and case when f.reverses is not null then f.debit_kind = 'indivisible_reserve'
              else not exists (select from ledger_flow w where w.kind = f.kind
                  and w.debit_kind = f.debit_kind and w.credit_kind = f.credit_kind) end
        union all
        select f.place, 'closed', jsonb_build_object('at_ms', f.at_ms, 'until_ms', v_closed)
        from unnest(p_fresh) f where f.at_ms < v_closed
        union all
        select f.place, x.fault, jsonb_build_object('transfer', f.resolves, 'held', f.held,
            'amount', f.amount, 'currency', f.currency)
        from unnest(p_fresh) f
        join ledger_transfer h on h.id = f.resolves
        left join ledger_transfer r on r.resolves = h.id
        cross join lateral (values
            ('not_pending', h.mode <> 'pending'),
            ('resolved', r.id is not null),
            ('expired', f.mode = 'post' and h.expires_ms <= f.at_ms),
            ('more_than_held', f.amount > h.amount)) as x (fault, so)
        where x.so
        union all
        select f.place, x.fault, jsonb_build_object('transfer', f.reverses)
        from unnest(p_fresh) f
        join ledger_transfer o on o.id = f.reverses
        left join ledger_transfer r on r.reverses = o.id
        cross join lateral (values
            ('not_posted', o.mode not in ('posted', 'post') or o.reverses is not null),
            ('reversed', r.id is not null)) as x (fault, so)
        where x.so
        union all
        select s.place, 'short', s.about from ledger_short(p_fresh) s
    )
    select jsonb_agg(about || jsonb_build_object('place', place, 'fault', fault)
                     order by place, fault)
    from fault);
end $$;

-- ledger_short: moves that ask more of an account than it has, with what the group brings it and
-- sets free, and what the moves before it take. Accounts that may owe are never short.
create or replace function ledger_short(p_moves ledger_move[])
returns table (place integer, about jsonb) language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with side as (
        select m.debit_account as id, case when m.mode = 'void' then 0 else m.amount end as spent,
            case when m.resolves is not null then m.held else 0 end as gained
        from unnest(p_moves) m
        union all
        select m.credit_account, 0, m.amount from unnest(p_moves) m
        where m.mode in ('posted', 'post')
    ), net as (
        select id, sum(spent) as spent, sum(gained) as gained from side group by id
    ), short as (
        select a.id, a.kind, a.currency,
            a.credits - a.debits - a.debits_pending + net.gained as available
        from net join ledger_account a on a.id = net.id
        where a.kind not in ('bank', 'coop_fee')
          and a.credits - a.debits - a.debits_pending + net.gained < net.spent
    ), asking as (
        select m.place, s.id, s.kind, s.currency, s.available,
            sum(m.amount) over (partition by s.id order by m.place) as asked
        from short s join unnest(p_moves) m on m.debit_account = s.id and m.mode <> 'void'
    )
    select a.place, jsonb_build_object('account', a.id, 'kind', a.kind, 'currency', a.currency,
        'available', a.available, 'asked', a.asked)
    from asking a where a.asked > a.available;
end $$;

-- ledger_close: no date before p_until_ms is open any more; keeps the sums of the accounts that
-- the period moved, where later balances of the past begin. Returns how many accounts, or null if
-- a later date is closed already. Closing the same date again changes nothing.
create or replace function ledger_close(p_until_ms bigint, p_now_ms bigint, p_account bigint)
returns integer language plpgsql as $$
declare
    v_since bigint;
    v_count integer;
begin
    -- whoever posts now has finished, and whoever comes sees the period closed
    perform pg_advisory_xact_lock(ledger_lock());
    v_since := coalesce((select max(until_ms) from ledger_period), 0);
    if v_since > p_until_ms then
        return null;
    elsif v_since = p_until_ms then
        return (select count(*) from ledger_closing where until_ms = p_until_ms);
    end if;
    insert into ledger_period (until_ms, closed_ms, account_id, last_transfer)
    values (p_until_ms, p_now_ms, p_account, coalesce((select max(id) from ledger_transfer), 0));
    insert into ledger_closing (account_id, until_ms, debits, credits)
    select e.account_id, p_until_ms, coalesce(b.debits, 0) + e.debits,
        coalesce(b.credits, 0) + e.credits
    from (select account_id, sum(greatest(-amount, 0)) as debits,
              sum(greatest(amount, 0)) as credits
          from ledger_entry where at_ms >= v_since and at_ms < p_until_ms
          group by account_id) e
    left join lateral (select c.debits, c.credits from ledger_closing c
        where c.account_id = e.account_id order by c.until_ms desc limit 1) b on true;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- ledger_folded: the sums of an account of all that is dated before p_before_ms: those of the last
-- closing, and what came after it
create or replace function ledger_folded(p_id bigint, p_before_ms bigint)
returns table (debits bigint, credits bigint) language sql stable as $$
    with b as (
        select c.until_ms, c.debits, c.credits from ledger_closing c
        where c.account_id = p_id and c.until_ms <= p_before_ms
        order by c.until_ms desc limit 1
    )
    select coalesce((select b.debits from b), 0) + coalesce(sum(greatest(-e.amount, 0)), 0)::bigint,
        coalesce((select b.credits from b), 0) + coalesce(sum(greatest(e.amount, 0)), 0)::bigint
    from ledger_entry e
    where e.account_id = p_id and e.at_ms < p_before_ms
      and e.at_ms >= coalesce((select b.until_ms from b), 0)
$$;
