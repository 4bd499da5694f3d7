-- What the task screen does, one round trip each.

-- finish_task: end a task in hand from the task screen. p_act:
--   answer  as submit_answers, counted after p_after_ms, until then it can be taken back
--   skip    given back
--   remark  given back with a remark; two people who remark on a task call its expert
-- Outcomes are those of submit_answers; "returned" is what a skip and a remark end in, and
-- "withdrawn" an answer sent again after it was taken back. Safe to repeat.
create or replace function finish_task(
    p_contributor bigint,
    p_task bigint,
    p_step bigint,
    p_act text,
    -- of an answer
    p_value jsonb,
    p_after_ms bigint,
    -- of a remark
    p_kind text,
    p_reason text,
    p_note text,
    -- when it was worked on
    p_intervals int8multirange,
    -- when it was ended, by the clock of the contributor; null where that is not known
    p_acted_ms bigint,
    p_now_ms bigint
) returns text language plpgsql as $$
declare
    v_state text;
    v_outcome text;
begin
    if p_act = 'answer' then
        if exists (
            select from withdrawn w
            where w.task_id = p_task and w.contributor_id = p_contributor
              and w.acted_ms >= p_acted_ms
        ) then
            return 'withdrawn';
        end if;
        select s.outcome into v_outcome
        from submit_answers(p_contributor, array[p_task], array[p_step], array[p_value], p_now_ms,
                            null, p_after_ms) s;
    else
        v_outcome := case when return_task(p_contributor, p_task, p_step, p_now_ms)
                          then 'returned' end;
        if v_outcome is null then
            select a.state into v_state from assignment a
            where a.task_id = p_task and a.contributor_id = p_contributor
              and a.batch_step_id = p_step;
            v_outcome := case v_state when 'submitted' then 'conflict'
                                      else coalesce(v_state, 'unknown') end;
        end if;
        if p_act = 'remark' and v_outcome in ('returned', 'expired') then
            perform make_remark(p_contributor, p_task, p_step, p_kind, p_reason, p_note, p_now_ms);
        end if;
    end if;
    if v_outcome <> 'unknown' and not isempty(p_intervals) then
        insert into activity as a (task_id, contributor_id, batch_step_id, intervals, active_ms,
                                   sent_ms)
        values (p_task, p_contributor, p_step, p_intervals, multirange_ms(p_intervals), p_now_ms)
        on conflict (task_id, contributor_id) do update
        set intervals = a.intervals + excluded.intervals,
            active_ms = multirange_ms(a.intervals + excluded.intervals),
            sent_ms = excluded.sent_ms, fresh = true;
    end if;
    return v_outcome;
end $$;

-- make_remark: once for each contributor and task. The second person's calls the expert of the
-- step: a row of contributor -2 tells the engine.
create or replace function make_remark(
    p_contributor bigint, p_task bigint, p_step bigint, p_kind text, p_reason text, p_note text,
    p_now_ms bigint
) returns void language plpgsql as $$
begin
    -- two at once wait here for each other, so that one of them is the second
    perform from task where id = p_task for update;
    insert into remark (task_id, contributor_id, batch_step_id, kind, reason, note, made_ms)
    values (p_task, p_contributor, p_step, p_kind, p_reason, p_note, p_now_ms)
    on conflict do nothing;
    if not found then
        return;
    end if;
    insert into inbox (task_id, contributor_id, batch_step_id, submitted_ms)
    select t.id, -2, t.batch_step_id, p_now_ms
    from task t join batch_step s on s.id = t.batch_step_id
    where t.id = p_task and t.kind = 'work' and not t.decided and not t.expert
      and s.expert_skill is not null
      and (select count(*) from remark r where r.task_id = p_task) = 2;
end $$;

-- multirange_ms: how long intervals are altogether
create or replace function multirange_ms(p_intervals int8multirange) returns bigint
language sql immutable as $$
    select coalesce(sum(upper(one) - lower(one)), 0)::bigint from unnest(p_intervals) one
$$;

-- withdraw_answer: take an answer back that was not counted yet; the task is in hand again, for at
-- least p_lease_ms. Outcomes:
--   withdrawn  in hand again; or it was taken back before (a retry is safe)
--   decided    the task was decided meanwhile, on this answer too: it stands
--   counted    the engine has it already: it stands
--   unknown    there is no such answer
-- The task is locked before its inbox is looked at, as no engine does: SKIP LOCKED, and so neither
-- waits for the other in a circle.
create or replace function withdraw_answer(
    p_contributor bigint, p_task bigint, p_step bigint, p_lease_ms bigint, p_acted_ms bigint,
    p_now_ms bigint
) returns text language plpgsql as $$
declare
    v_state text;
    v_decided boolean;
begin
    select a.state into v_state from assignment a
    where a.task_id = p_task and a.contributor_id = p_contributor and a.batch_step_id = p_step
    for update;
    if v_state is distinct from 'submitted' then
        return case when exists (
            select from withdrawn w
            where w.task_id = p_task and w.contributor_id = p_contributor
              and w.acted_ms = p_acted_ms) then 'withdrawn' else 'unknown' end;
    end if;
    select t.decided into v_decided from task t where t.id = p_task for update;
    if v_decided then
        return 'decided';
    end if;
    delete from inbox where ctid = any (array(
        select ctid from inbox
        where task_id = p_task and contributor_id = p_contributor for update skip locked));
    if not found then
        return 'counted';
    end if;
    with gone as (
        delete from answer a where a.task_id = p_task and a.contributor_id = p_contributor
        returning a.value, a.expert, a.submitted_ms
    )
    insert into withdrawn (task_id, contributor_id, value, expert, submitted_ms, withdrawn_ms,
                           acted_ms)
    select p_task, p_contributor, value, expert, submitted_ms, p_now_ms, p_acted_ms from gone;
    update assignment
    set state = 'claimed', ended_ms = null, deadline_ms = greatest(deadline_ms, p_now_ms + p_lease_ms)
    where task_id = p_task and contributor_id = p_contributor;
    return 'withdrawn';
end $$;
