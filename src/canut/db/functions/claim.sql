-- claim_tasks: tasks for one contributor, in one round trip, at a cost that does not grow with the
-- number of open tasks.
--
-- Which step: those the contributor may work on, in a random order weighted by priority. That is
-- fair in expectation and needs no shared counter that every claim would fight over.
-- Which task: the oldest open one after the contributor's cursor. Everything before the cursor was
-- seen, or was full when the cursor passed; at the end the cursor wraps, so that nothing is
-- forgotten. SKIP LOCKED: claimers never wait for each other, nor for the engine.
-- A look is bounded (look_max tasks, looks_max times a step): a contributor who has already seen
-- most of what is open gets nothing this time, and the next call looks further on.
create or replace function claim_tasks(
    p_contributor bigint,
    p_count integer,
    p_now_ms bigint,
    -- only from this batch
    p_batch bigint default null,
    -- claims a contributor may hold at once
    p_live_max integer default 100
) returns table (
    task_id bigint, batch_step_id bigint, step_id bigint, batch_id bigint,
    deadline_ms bigint, expert boolean, payload jsonb
) language plpgsql as $$
#variable_conflict use_column
declare
    look_max constant integer := 100;
    looks_max constant integer := 8;
    v_skills text[];
    v_queue record;
    v_left integer;
    v_start bigint;
    v_cursor bigint;
    v_last bigint;
    v_look integer;
    v_found boolean;
    v_wrapped boolean;
begin
    -- a claim can be made again: not worth waiting for the disk
    perform set_config('synchronous_commit', 'off', true);
    -- one claim at a time per contributor, or two could take the same task
    perform pg_advisory_xact_lock(1, (p_contributor % 2147483647)::integer);

    select c.skills, least(p_count, p_live_max - (
        select count(*) from assignment a
        where a.contributor_id = p_contributor and a.state = 'claimed'))
    into v_skills, v_left
    from contributor c where c.id = p_contributor and c.state = 'active';
    if not found then
        return;
    end if;

    for v_queue in
        select s.id, s.batch_id, s.step_id, s.lease_ms, kind.expert, c.task_id as cursor
        from batch_step s
        cross join lateral (
            select true as expert where s.expert_skill = any (v_skills)
            union all select false where s.skills <@ v_skills
        ) kind
        left join claim_cursor c on c.contributor_id = p_contributor
            and c.batch_step_id = s.id and c.expert = kind.expert
        where s.open
          and (p_batch is null or s.batch_id = p_batch)
          and (not s.licence or kind.expert or exists (
              select from licence l
              where l.contributor_id = p_contributor and l.process_id = s.process_id
                and l.step_slug = s.slug and l.ended_ms is null))
        -- escalated tasks first: few can take them, and somebody waits
        order by kind.expert desc, -ln(1 - random()) / s.weight
    loop
        exit when v_left <= 0;
        v_start := coalesce(v_queue.cursor, 0);
        v_cursor := v_start;
        v_wrapped := v_start = 0;
        for i in 1..looks_max loop
            v_look := greatest(p_count, case when i = 1 then 10 else look_max end);
            v_found := false;
            for task_id, payload in
                with look as materialized (
                    -- a scalar subquery, one look by key a task: PostgreSQL may turn an EXISTS
                    -- into a hash of everything the contributor ever did
                    select t.id, (
                        select a.task_id from assignment a
                        where a.task_id = t.id and a.contributor_id = p_contributor
                    ) is not null as seen
                    from task t
                    where t.batch_step_id = v_queue.id and t.expert = v_queue.expert
                      and t.open and t.id > v_cursor
                    order by t.id
                    limit v_look
                ), free as (
                    select t.id from task t
                    where t.id = any (array(select look.id from look where not look.seen))
                      and t.open
                    order by t.id
                    limit v_left
                    for update skip locked
                ), taken as (
                    update task t set slots = t.slots - 1, open = t.slots > 1
                    from free where t.id = free.id
                    returning t.id, t.item_id
                ), made as (
                    insert into assignment as a (
                        task_id, contributor_id, batch_step_id, state, expert,
                        claimed_ms, deadline_ms)
                    select taken.id, p_contributor, v_queue.id, 'claimed', v_queue.expert, p_now_ms,
                           p_now_ms + v_queue.lease_ms
                    from taken
                )
                select taken.id, item.payload
                from taken
                join item on item.batch_id = v_queue.batch_id and item.id = taken.item_id
                order by taken.id
            loop
                batch_step_id := v_queue.id;
                step_id := v_queue.step_id;
                batch_id := v_queue.batch_id;
                deadline_ms := p_now_ms + v_queue.lease_ms;
                expert := v_queue.expert;
                return next;
                -- what others held this moment is left behind until the cursor wraps
                v_cursor := task_id;
                v_left := v_left - 1;
                v_found := true;
            end loop;
            exit when v_left <= 0;
            continue when v_found;

            select max(look.id) into v_last from (
                select t.id from task t
                where t.batch_step_id = v_queue.id and t.expert = v_queue.expert
                  and t.open and t.id > v_cursor
                order by t.id
                limit v_look
            ) look;
            if v_last is not null then
                v_cursor := v_last;
            elsif v_wrapped then
                exit;
            else
                v_wrapped := true;
                v_cursor := 0;
            end if;
        end loop;
        if v_cursor <> v_start then
            insert into claim_cursor (contributor_id, batch_step_id, expert, task_id)
            values (p_contributor, v_queue.id, v_queue.expert, v_cursor)
            on conflict (contributor_id, batch_step_id, expert)
            do update set task_id = excluded.task_id;
        end if;
    end loop;
end $$;

-- live_tasks: what a contributor holds, oldest first, to go on after a reload or a crash; also
-- when the batch was paused or ended meanwhile: what is in hand may be finished
create or replace function live_tasks(p_contributor bigint, p_now_ms bigint) returns table (
    task_id bigint, batch_step_id bigint, step_id bigint, batch_id bigint,
    deadline_ms bigint, expert boolean, payload jsonb
) language sql stable as $$
    select t.id, s.id, s.step_id, s.batch_id, a.deadline_ms, a.expert, item.payload
    from assignment a
    join task t on t.id = a.task_id
    join batch_step s on s.id = a.batch_step_id
    join item on item.batch_id = s.batch_id and item.id = t.item_id
    where a.contributor_id = p_contributor and a.state = 'claimed'
      and a.deadline_ms > p_now_ms and not t.decided
    order by a.claimed_ms, t.id
$$;
