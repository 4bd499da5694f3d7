-- llm_periods: what a call of this moment counts for, as (kind, of).
create or replace function llm_periods(p_version text, p_batch bigint, p_at_ms bigint)
returns table (kind text, of text) language sql stable as $$
    select v.kind, v.of
    from (select to_timestamp(p_at_ms / 1000.0) at time zone 'utc' as at) t,
    lateral (values ('ever', ''), ('day', to_char(t.at, 'YYYY-MM-DD')),
                    ('month', to_char(t.at, 'YYYY-MM')), ('version', p_version),
                    ('batch', p_batch::text)) v (kind, of)
    where v.of is not null
$$;

-- llm_afford: a row for a call that may come to p_cost, if no budget stands against it: its number,
-- or the kind of the budget that does not cover it. Limits are null where there is none.
-- Calls of one agent come one after the other here, on whatever engine: two could not both take
-- what is left.
create or replace function llm_afford(
    p_agent bigint, p_version text, p_task bigint, p_model text, p_currency text,
    p_tokens_in integer, p_tokens_out integer, p_cost bigint,
    p_ever bigint, p_day bigint, p_month bigint, p_batch bigint, p_now_ms bigint
) returns table (call_id bigint, spent text) language plpgsql as $$
#variable_conflict use_column
declare
    v_batch bigint;
begin
    select s.batch_id into v_batch
    from task t join batch_step s on s.id = t.batch_step_id where t.id = p_task;
    insert into llm_spend (agent_id, currency, kind, of) values (p_agent, p_currency, 'ever', '')
    on conflict do nothing;
    perform from llm_spend where agent_id = p_agent and currency = p_currency and kind = 'ever'
    for update;
    -- of several, the one that lasts longest
    select p.kind into spent
    from llm_periods(p_version, v_batch, p_now_ms) p
    join (values ('ever', p_ever, 1), ('month', p_month, 2), ('day', p_day, 3),
                 ('batch', p_batch, 4)) l (kind, most, turn) on l.kind = p.kind
    left join llm_spend s on s.agent_id = p_agent and s.currency = p_currency
        and s.kind = p.kind and s.of = p.of
    where coalesce(s.cost_micro, 0) + p_cost > l.most
    order by l.turn limit 1;
    if spent is null then
        insert into llm_call (agent_id, version, task_id, batch_id, model, tokens_in, tokens_out,
                              cost_micro, currency, basis, at_ms)
        values (p_agent, p_version, case when p_task > 0 then p_task end, v_batch, p_model, p_tokens_in, p_tokens_out, p_cost,
                p_currency, 'assumed', p_now_ms)
        returning id into call_id;
        insert into llm_spend as s (agent_id, currency, kind, of, calls, tokens_in, tokens_out,
                                    cost_micro)
        select p_agent, p_currency, p.kind, p.of, 1, p_tokens_in, p_tokens_out, p_cost
        from llm_periods(p_version, v_batch, p_now_ms) p
        on conflict (agent_id, currency, kind, of) do update set
            calls = s.calls + 1, tokens_in = s.tokens_in + excluded.tokens_in,
            tokens_out = s.tokens_out + excluded.tokens_out,
            cost_micro = s.cost_micro + excluded.cost_micro;
    end if;
    return next;
end $$;

-- llm_settle: what a call came to. A basis of null: the server never got it, and it costs nothing.
create or replace function llm_settle(
    p_call bigint, p_tokens_in integer, p_tokens_kept integer, p_tokens_out integer,
    p_cost bigint, p_basis text, p_latency_ms integer
) returns void language plpgsql as $$
#variable_conflict use_column
declare
    v_was record;
begin
    select * into v_was from llm_call where id = p_call for update;
    if p_basis is null then
        delete from llm_call where id = p_call;
    else
        update llm_call set tokens_in = p_tokens_in, tokens_kept = p_tokens_kept,
            tokens_out = p_tokens_out, cost_micro = p_cost, basis = p_basis,
            latency_ms = p_latency_ms
        where id = p_call;
    end if;
    perform from llm_spend where agent_id = v_was.agent_id and currency = v_was.currency
        and kind = 'ever' for update;
    update llm_spend s set
        calls = s.calls - case when p_basis is null then 1 else 0 end,
        tokens_in = s.tokens_in + coalesce(p_tokens_in, 0) - v_was.tokens_in,
        tokens_out = s.tokens_out + coalesce(p_tokens_out, 0) - v_was.tokens_out,
        cost_micro = s.cost_micro + coalesce(p_cost, 0) - v_was.cost_micro
    from llm_periods(v_was.version, v_was.batch_id, v_was.at_ms) p
    where s.agent_id = v_was.agent_id and s.currency = v_was.currency
      and s.kind = p.kind and s.of = p.of;
end $$;

-- llm_saved: a call that the cache has saved.
create or replace function llm_saved(
    p_agent bigint, p_version text, p_task bigint, p_model text, p_currency text, p_now_ms bigint
) returns void language plpgsql as $$
#variable_conflict use_column
declare
    v_batch bigint;
begin
    select s.batch_id into v_batch
    from task t join batch_step s on s.id = t.batch_step_id where t.id = p_task;
    insert into llm_call (agent_id, version, task_id, batch_id, model, tokens_in, tokens_out,
                          cost_micro, currency, basis, at_ms)
    values (p_agent, p_version, case when p_task > 0 then p_task end, v_batch, p_model, 0, 0, 0, p_currency, 'cache', p_now_ms);
    insert into llm_spend (agent_id, currency, kind, of) values (p_agent, p_currency, 'ever', '')
    on conflict do nothing;
    perform from llm_spend where agent_id = p_agent and currency = p_currency and kind = 'ever'
    for update;
    insert into llm_spend as s (agent_id, currency, kind, of, cached)
    select p_agent, p_currency, p.kind, p.of, 1
    from llm_periods(p_version, v_batch, p_now_ms) p
    on conflict (agent_id, currency, kind, of) do update set cached = s.cached + 1;
end $$;

-- llm_turn_at: milliseconds to wait before a request of so many tokens may go; 0: it goes, and
-- counts. No minute, wherever it begins, holds more than the limits (null: none); a request larger
-- than the limit goes alone.
create or replace function llm_turn_at(
    p_place text, p_requests integer, p_tokens bigint, p_wanted bigint, p_now_ms bigint
) returns bigint language plpgsql as $$
declare
    v_wait bigint;
    v_n bigint;
    v_sum bigint;
    v_first bigint;
begin
    perform set_config('synchronous_commit', 'off', true);
    perform pg_advisory_xact_lock(6, hashtext(p_place));
    select not_before_ms - p_now_ms into v_wait from llm_place where place = p_place;
    if v_wait > 0 then
        return v_wait;
    end if;
    if p_requests is null and p_tokens is null then
        return 0;
    end if;
    delete from llm_turn where place = p_place and at_ms <= p_now_ms - 60000;
    select count(*), coalesce(sum(tokens), 0), min(at_ms) into v_n, v_sum, v_first
    from llm_turn where place = p_place;
    if v_n > 0 and (v_n >= p_requests or v_sum + p_wanted > p_tokens) then
        return greatest(v_first + 60000 - p_now_ms, 1);
    end if;
    insert into llm_turn (place, at_ms, tokens) values (p_place, p_now_ms, p_wanted);
    return 0;
end $$;
