-- claim_for_agent: tasks of one step of a batch for an agent, in bulk: the same claims as everybody
-- makes, in one statement instead of one look a task.
--
-- Open tasks behind the agent's cursor that it never had, in their order; those before the cursor
-- were seen or full when it passed. The cursor goes back to the first task once in p_again_ms: what
-- was full then may be open now, and nobody reads a long queue of tasks it has had all the time.
-- Claims of its own that expired (the engine that held them was killed) are taken up again: an
-- agent is the same on every machine.
-- At most p_ahead open tasks may wait behind the farthest task it has been at: an agent that runs far ahead of people
-- would answer with what it knows now what it will know better soon.
-- p_after: an agent that stands before this one, whose answer or pass must be in first.
create or replace function claim_for_agent(
    p_agent bigint, p_step bigint, p_count integer, p_ahead integer, p_after bigint,
    p_again_ms bigint, p_now_ms bigint
) returns table (task_id bigint, key text, payload jsonb) language plpgsql as $$
#variable_conflict use_column
declare
    v_step record;
    v_cursor bigint;
    v_reached bigint;
    v_waiting bigint;
    v_last bigint;
    v_found boolean := false;
begin
    perform set_config('synchronous_commit', 'off', true);
    perform pg_advisory_xact_lock(1, (p_agent % 2147483647)::integer);
    select s.batch_id, s.lease_ms into v_step
    from batch_step s
    join contributor c on c.id = p_agent and c.state = 'active' and s.skills <@ c.skills
    where s.id = p_step and s.open;
    if not found then
        return;
    end if;
    insert into agent_cursor as c (agent_id, batch_step_id, task_id, reached, begun_ms)
    values (p_agent, p_step, 0, 0, p_now_ms)
    on conflict (agent_id, batch_step_id) do update set
        task_id = case when c.begun_ms + p_again_ms <= p_now_ms then 0 else c.task_id end,
        begun_ms = case when c.begun_ms + p_again_ms <= p_now_ms then p_now_ms else c.begun_ms end
    returning c.task_id, c.reached into v_cursor, v_reached;
    select count(*) into v_waiting from (
        select from task t
        where t.batch_step_id = p_step and not t.expert and t.kind = 'work' and t.open
          and t.id <= v_reached
        limit p_ahead) waiting;
    p_count := least(p_count, p_ahead - v_waiting);
    if p_count <= 0 then
        return;
    end if;
    for task_id, key, payload, v_last in
        with look as (
            select t.id from task t
            where t.batch_step_id = p_step and not t.expert and t.kind = 'work' and t.open
              and t.id > v_cursor
              and not exists (
                  select from assignment a where a.task_id = t.id and a.contributor_id = p_agent
                    and a.state <> 'expired')
              and (p_after is null or exists (
                  select from assignment a where a.task_id = t.id and a.contributor_id = p_after
                    and a.state <> 'claimed'))
            order by t.id
            limit p_count
            for update of t skip locked
        ), taken as (
            update task t set slots = t.slots - 1, open = t.slots > 1
            from look where t.id = look.id
            returning t.id, t.item_id
        ), made as (
            insert into assignment as a (task_id, contributor_id, batch_step_id, state, claimed_ms,
                                         deadline_ms)
            select taken.id, p_agent, p_step, 'claimed', p_now_ms, p_now_ms + v_step.lease_ms
            from taken
            on conflict (task_id, contributor_id) do update
            set state = 'claimed', claimed_ms = excluded.claimed_ms,
                deadline_ms = excluded.deadline_ms, ended_ms = null
        )
        select taken.id, item.key, item.payload, taken.id
        from taken join item on item.batch_id = v_step.batch_id and item.id = taken.item_id
        order by taken.id
    loop
        v_found := true;
        return next;
    end loop;
    if v_found then
        update agent_cursor c set task_id = v_last, reached = greatest(c.reached, v_last)
        where c.agent_id = p_agent and c.batch_step_id = p_step;
    end if;
end $$;

-- return_many: give tasks back, as `return_task` does, in one round trip
create or replace function return_many(
    p_contributor bigint, p_tasks bigint[], p_step bigint, p_now_ms bigint
) returns integer language plpgsql as $$
begin
    return (
        select count(*) filter (where returned) from (
            select return_task(p_contributor, u.task, p_step, p_now_ms) as returned
            from unnest(p_tasks) as u (task) order by u.task) given);
end $$;
