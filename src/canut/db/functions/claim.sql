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
-- By expected gain: those who are right more often than is usual at the step get tasks whose belief
-- wavers before fresh ones, all others after them (canut.truth.routing has the reasons).
-- Audits come first, to people who are qualified and never had the task; gold takes the place of an
-- ordinary task now and then, oftener while little is known of the contributor. Callers must not
-- keep the order of the rows: it tells gold and audits.
-- Nothing is claimed whose pay is not there: tasks after `funded_to` wait (canut.pay.funding).
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
    v_person boolean;
    v_gold bigint;
begin
    -- a claim can be made again: not worth waiting for the disk
    perform set_config('synchronous_commit', 'off', true);
    -- one claim at a time per contributor, or two could take the same task
    perform pg_advisory_xact_lock(1, (p_contributor % 2147483647)::integer);

    select c.skills, c.kind = 'person', least(p_count, p_live_max - (
        select count(*) from assignment a
        where a.contributor_id = p_contributor and a.state = 'claimed'))
    into v_skills, v_person, v_left
    from contributor c where c.id = p_contributor and c.state = 'active';
    if not found then
        return;
    end if;

    if v_person and exists (select from task t where t.open and t.kind = 'audit') then
        for task_id, batch_step_id, step_id, batch_id, deadline_ms, payload in
            select * from claim_audits(p_contributor, v_skills, v_left, p_now_ms, p_batch)
        loop
            expert := false;
            v_left := v_left - 1;
            return next;
        end loop;
    end if;

    for v_queue in
        select s.id, s.batch_id, s.step_id, s.lease_ms, s.process_id, s.slug, s.gold_share,
               s.funded_to,
               kind.expert, kind.doubtful, c.task_id as cursor,
               coalesce(known.gold_judged, 0) as gold_judged
        from (
            -- one turn a step, whatever its kinds
            select o.*, -ln(1 - random()) / o.weight as turn from batch_step o
            where o.open and (p_batch is null or o.batch_id = p_batch)
        ) s
        left join track known on known.process_id = s.process_id and known.step_slug = s.slug
            and known.contributor_id = p_contributor
        left join step_model usual on usual.process_id = s.process_id and usual.step_slug = s.slug
        cross join lateral (
            select true as expert, false as doubtful, 0 as place
            where s.expert_skill = any (v_skills)
            union all select false, false, 2 where s.skills <@ v_skills
            union all select false, true,
                -- in half of the claims whoever it is: records are shrunk, so that nobody may be better
                -- than usual, and these tasks would wait until there are no fresh ones left
                case when (known.right + 7) / (known.judged + 10) > usual.skill or random() < 0.5
                     then 1 else 3 end
            where s.skills <@ v_skills
        ) kind
        left join claim_cursor c on c.contributor_id = p_contributor
            and c.batch_step_id = s.id and c.expert = kind.expert and c.doubtful = kind.doubtful
        where not s.licence or kind.expert or exists (
            select from licence l
            where l.contributor_id = p_contributor and l.process_id = s.process_id
              and l.step_slug = s.slug and l.ended_ms is null
              -- an agent earns its licence by answering
              and (l.state = 'in_force' or not v_person))
        -- escalated tasks first: few can take them, and somebody waits
        order by kind.expert desc, s.turn, kind.place
    loop
        exit when v_left <= 0;
        -- strangers see gold oftener: a first impression is worth most
        if v_queue.gold_share > 0 and not v_queue.expert and random() < least(
            0.3, v_queue.gold_share * v_left * (1 + 20 / (1 + v_queue.gold_judged)))
        then
            select g.task_id, g.payload into v_gold, payload
            from claim_gold(p_contributor, v_queue.id, v_queue.process_id, v_queue.slug,
                            v_queue.lease_ms, p_now_ms) g;
            if v_gold is not null then
                task_id := v_gold;
                batch_step_id := v_queue.id;
                step_id := v_queue.step_id;
                batch_id := v_queue.batch_id;
                deadline_ms := p_now_ms + v_queue.lease_ms;
                expert := false;
                v_left := v_left - 1;
                return next;
                exit when v_left <= 0;
            end if;
        end if;
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
                      and t.doubtful = v_queue.doubtful and t.kind = 'work'
                      and t.open and t.id > v_cursor
                      -- no bound for an index: of a range PostgreSQL expects so little that it
                      -- would read all tasks by number, for a queue that has one
                      and t.id + 0 <= v_queue.funded_to
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
                  and t.doubtful = v_queue.doubtful and t.kind = 'work'
                  and t.open and t.id > v_cursor and t.id + 0 <= v_queue.funded_to
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
            insert into claim_cursor (contributor_id, batch_step_id, expert, doubtful, task_id)
            values (p_contributor, v_queue.id, v_queue.expert, v_queue.doubtful, v_cursor)
            on conflict (contributor_id, batch_step_id, expert, doubtful)
            do update set task_id = excluded.task_id;
        end if;
    end loop;
end $$;

-- claim_audits: open audits for a contributor who is qualified and never had the task itself
create or replace function claim_audits(
    p_contributor bigint, p_skills text[], p_count integer, p_now_ms bigint, p_batch bigint
) returns table (
    task_id bigint, batch_step_id bigint, step_id bigint, batch_id bigint, deadline_ms bigint,
    payload jsonb
) language sql as $$
    with free as (
        select t.id, t.item_id, s.id as batch_step_id, s.step_id, s.batch_id,
               p_now_ms + s.lease_ms as deadline_ms
        from task t join batch_step s on s.id = t.batch_step_id
        where t.open and t.kind = 'audit' and s.audit_skills <@ p_skills and not s.held
          and (p_batch is null or s.batch_id = p_batch)
          and (not s.licence or exists (
              select from licence l
              where l.contributor_id = p_contributor and l.process_id = s.process_id
                and l.step_slug = s.slug and l.state = 'in_force'))
          and (select a.task_id from assignment a
               where a.task_id = t.id and a.contributor_id = p_contributor) is null
          and (select a.task_id from assignment a
               where a.task_id = t.of_task and a.contributor_id = p_contributor) is null
        order by t.id
        limit p_count
        for update of t skip locked
    ), taken as (
        update task t set slots = t.slots - 1, open = t.slots > 1 from free where t.id = free.id
    ), made as (
        insert into assignment (task_id, contributor_id, batch_step_id, state, claimed_ms,
                                deadline_ms)
        select free.id, p_contributor, free.batch_step_id, 'claimed', p_now_ms, free.deadline_ms
        from free
    )
    select free.id, free.batch_step_id, free.step_id, free.batch_id, free.deadline_ms, item.payload
    from free join item on item.batch_id = free.batch_id and item.id = free.item_id
$$;

-- claim_gold: the least shown gold of the step that this contributor has never seen, as a task of
-- the step; nothing where there is none, or no ordinary work of theirs to hide it among: who has
-- answered all that is open would be given gold alone, and know it. The look is bounded as in
-- claim_tasks, from the cursors on and from the beginning
create or replace function claim_gold(
    p_contributor bigint, p_step bigint, p_process bigint, p_slug text, p_lease_ms bigint,
    p_now_ms bigint
) returns table (task_id bigint, payload jsonb) language sql as $$
    with next as (
        select g.id, g.payload from gold g
        where g.process_id = p_process and g.step_slug = p_slug and g.state = 'active'
          and (select a.gold_id from gold_answer a
               where a.contributor_id = p_contributor and a.gold_id = g.id) is null
          and exists (
              select from (values (false), (true)) kind (doubtful)
              left join claim_cursor c on c.contributor_id = p_contributor
                  and c.batch_step_id = p_step and not c.expert and c.doubtful = kind.doubtful
              cross join lateral (values (coalesce(c.task_id, 0)), (0)) passed (id)
              cross join lateral (
                  select t.id from task t
                  where t.batch_step_id = p_step and not t.expert and t.doubtful = kind.doubtful
                    and t.kind = 'work' and t.open and t.id > passed.id
                    and t.id + 0 <= (select s.funded_to from batch_step s where s.id = p_step)
                  order by t.id
                  limit 100
              ) look
              where (select a.task_id from assignment a
                     where a.task_id = look.id and a.contributor_id = p_contributor) is null)
        order by g.shown, g.id
        limit 1
        for update skip locked
    ), rotated as (
        update gold g set shown = g.shown + 1 from next where g.id = next.id
    ), made as (
        insert into task as t (batch_step_id, item_id, wanted, slots, open, kind)
        select p_step, -next.id, 0, 0, false, 'gold' from next
        on conflict (item_id, batch_step_id, kind) do update set wanted = t.wanted
        returning t.id
    ), assigned as (
        insert into assignment (task_id, contributor_id, batch_step_id, state, claimed_ms,
                                deadline_ms)
        select made.id, p_contributor, p_step, 'claimed', p_now_ms, p_now_ms + p_lease_ms from made
    ), seen as (
        insert into gold_answer (contributor_id, gold_id, task_id, shown_ms)
        select p_contributor, next.id, made.id, p_now_ms from next, made
    )
    select made.id, next.payload from next, made
$$;

-- live_tasks: what a contributor holds, oldest first, to go on after a reload or a crash; also
-- when the batch was paused or ended meanwhile: what is in hand may be finished. Of a delivered
-- batch every task is decided but its gold, which must go with the others or it would be told
create or replace function live_tasks(p_contributor bigint, p_now_ms bigint) returns table (
    task_id bigint, batch_step_id bigint, step_id bigint, batch_id bigint,
    deadline_ms bigint, expert boolean, payload jsonb
) language sql stable as $$
    select t.id, s.id, s.step_id, s.batch_id, a.deadline_ms, a.expert,
           coalesce(item.payload, gold.payload)
    from assignment a
    join task t on t.id = a.task_id
    join batch_step s on s.id = a.batch_step_id
    left join item on item.batch_id = s.batch_id and item.id = t.item_id
    left join gold on t.kind = 'gold' and gold.id = -t.item_id
    where a.contributor_id = p_contributor and a.state = 'claimed'
      and a.deadline_ms > p_now_ms and not t.decided
      and (t.kind <> 'gold'
           or (select b.state from batch b where b.id = s.batch_id) <> 'delivered')
    order by a.claimed_ms, t.id
$$;
