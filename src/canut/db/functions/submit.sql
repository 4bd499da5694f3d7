-- submit_answers: store a contributor's answers, each at most once, in one round trip. Outcomes:
--   accepted  stored, or stored before with the same value (a retry is safe)
--   conflict  another answer to this task was stored before; that one stands
--   expired   the lease ended and others have taken the task over
--   returned  the contributor gave the task back
--   unknown   the contributor never had this task at this step
-- A late answer is taken when the task still needs one: work done is not thrown away. Gold always
-- does, or refusals would tell it.
-- A task decided meanwhile takes the answers of those who held it: they worked in good faith.
create or replace function submit_answers(
    p_contributor bigint,
    p_tasks bigint[],
    p_steps bigint[],
    p_values jsonb[],
    p_now_ms bigint,
    -- how sure the contributor is of each, null where it does not say
    p_confidences real[] default null,
    -- the engine counts them from then on
    p_after_ms bigint default 0
) returns table (task_id bigint, outcome text) language plpgsql as $$
#variable_conflict use_column
declare
    v_given record;
    v_held record;
    v_taken boolean;
    v_expert boolean;
begin
    for v_given in
        -- in the order of tasks, as everywhere, so that no two transactions wait in a circle
        select u.task, u.step, u.value, u.confidence
        from unnest(p_tasks, p_steps, p_values, p_confidences)
            as u (task, step, value, confidence)
        order by u.task
    loop
        task_id := v_given.task;
        update assignment a set state = 'submitted', ended_ms = p_now_ms
        where a.task_id = v_given.task and a.contributor_id = p_contributor
          and a.batch_step_id = v_given.step and a.state = 'claimed'
        returning a.expert into v_expert;
        v_taken := found;
        if not v_taken then
            -- the same late answer may come twice at once (a retry): the second waits here, and
            -- finds the first
            perform from assignment a
            where a.task_id = v_given.task and a.contributor_id = p_contributor for update;
            select a.state, a.expert, w.value into v_held
            from assignment a
            left join answer w on w.task_id = a.task_id and w.contributor_id = a.contributor_id
            where a.task_id = v_given.task and a.contributor_id = p_contributor
              and a.batch_step_id = v_given.step;
            if not found then
                outcome := 'unknown';
            elsif v_held.state = 'submitted' then
                outcome := case when v_held.value = v_given.value
                                then 'accepted' else 'conflict' end;
            elsif v_held.state = 'returned' then
                outcome := 'returned';
            else
                update task t
                set slots = greatest(t.slots - 1, 0), open = t.open and t.slots > 1
                where t.id = v_given.task
                  and (t.open and t.expert = v_held.expert or t.kind = 'gold');
                v_taken := found;
                v_expert := v_held.expert;
                outcome := 'expired';
                if v_taken then
                    update assignment a set state = 'submitted', ended_ms = p_now_ms
                    where a.task_id = v_given.task and a.contributor_id = p_contributor;
                end if;
            end if;
        end if;
        if v_taken then
            insert into answer (task_id, contributor_id, value, expert, submitted_ms, confidence)
            values (v_given.task, p_contributor, v_given.value, v_expert, p_now_ms,
                    v_given.confidence);
            insert into inbox (task_id, contributor_id, batch_step_id, submitted_ms, after_ms)
            values (v_given.task, p_contributor, v_given.step, p_now_ms, p_after_ms);
            outcome := 'accepted';
        end if;
        return next;
    end loop;
end $$;

-- return_task: give a task back; it is open for others again. False if it was not held.
create or replace function return_task(
    p_contributor bigint, p_task bigint, p_step bigint, p_now_ms bigint
) returns boolean language plpgsql as $$
begin
    update assignment set state = 'returned', ended_ms = p_now_ms
    where task_id = p_task and contributor_id = p_contributor and batch_step_id = p_step
      and state = 'claimed';
    if not found then
        return false;
    end if;
    update task set slots = slots + 1, open = true
    where id = p_task and not decided and kind <> 'gold';
    return true;
end $$;

-- expire_assignments: leases that ended; their tasks are open again. Returns how many.
-- SKIP LOCKED leaves one being submitted this moment to the next call.
create or replace function expire_assignments(p_now_ms bigint, p_limit integer)
returns integer language plpgsql as $$
declare
    v_tasks bigint[];
begin
    with due as (
        select task_id, contributor_id from assignment
        where state = 'claimed' and deadline_ms <= p_now_ms
        order by task_id, contributor_id
        limit p_limit
        for update skip locked
    ), ended as (
        update assignment a set state = 'expired', ended_ms = p_now_ms
        from due where a.task_id = due.task_id and a.contributor_id = due.contributor_id
        returning a.task_id
    )
    select array_agg(task_id) into v_tasks from ended;
    perform from task where id = any (v_tasks) order by id for update;
    update task t set slots = t.slots + back.n, open = true
    from (select task_id, count(*) as n from unnest(v_tasks) as task_id group by task_id) back
    where t.id = back.task_id and not t.decided and t.kind <> 'gold';
    return coalesce(cardinality(v_tasks), 0);
end $$;
