-- What keeps unpaid work from beginning, and answers from being forgotten.

create or replace function pay_stays() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a new row follows the old one', tg_table_name
        using errcode = 'restrict_violation';
end $$;
create or replace trigger policy_stays before update or delete or truncate
    on policy for each statement execute function pay_stays();
create or replace trigger tariff_stays before update or delete or truncate
    on tariff for each statement execute function pay_stays();

-- tariff_now: the tariff of a step at a moment, or null where its work is voluntary. A client's own
-- process (the library's with its classes, say) has that of the library until it has one of its own
create or replace function tariff_now(p_process bigint, p_slug text, p_now_ms bigint)
returns bigint language sql stable as $$
    select case when t.stage <> 'voluntary' then t.id end from tariff t
    where t.process_id in (
            select p_process union all
            select shared.id from process own
            join process shared on shared.slug = own.slug and shared.client_id is null
            where own.id = p_process)
      and t.step_slug = p_slug and t.from_ms <= p_now_ms
    order by t.process_id = p_process desc, t.from_ms desc, t.id desc limit 1
$$;

-- tariff_processes: the processes that have the tariff of this one: itself, and clients' own
create or replace function tariff_processes(p_process bigint, p_slug text)
returns setof bigint language sql stable as $$
    select p_process union
    select own.id from process shared
    join process own on own.slug = shared.slug and own.client_id is not null
    where shared.id = p_process and shared.client_id is null
      and not exists (select from tariff t where t.process_id = own.id and t.step_slug = p_slug)
$$;

-- batch_step_begins: a batch with a step that pays waits, whole, for its money
create or replace function batch_step_begins() returns trigger language plpgsql as $$
begin
    if exists (
        select from step own join step s on s.process_version_id = own.process_version_id
        where own.id = new.step_id
          and tariff_now(new.process_id, s.slug, now_ms()) is not null)
    then
        new.held := true;
        new.funded_to := 0;
        new.open := false;
    end if;
    return new;
end $$;
create or replace trigger batch_step_begins before insert on batch_step
    for each row execute function batch_step_begins();

-- batch_step_waits: whoever opens a step that is held, it stays closed
create or replace function batch_step_waits() returns trigger language plpgsql as $$
begin
    new.open := false;
    return new;
end $$;
create or replace trigger batch_step_waits before update of open, held on batch_step
    for each row when (new.held and new.open) execute function batch_step_waits();

-- answer_worked: answers that leave the inbox are earned, set by set and away from requests
create or replace function answer_worked() returns trigger language plpgsql as $$
begin
    insert into worked (task_id, contributor_id, batch_step_id, submitted_ms)
    select gone.task_id, gone.contributor_id, gone.batch_step_id, min(gone.submitted_ms)
    from gone join batch_step_pay p on p.batch_step_id = gone.batch_step_id
    where gone.contributor_id > 0
    group by gone.task_id, gone.contributor_id, gone.batch_step_id
    on conflict do nothing;
    return null;
end $$;
create or replace trigger answer_worked after delete on inbox
    referencing old table as gone for each statement execute function answer_worked();

-- exam_time: when somebody was at an exam: of each answer from the one before it on (or from when
-- its question was shown), at most p_most_ms
create or replace function exam_time(p_exam bigint, p_most_ms bigint)
returns int8multirange language sql stable as $$
    select coalesce(range_agg(int8range(since_ms, least(answered_ms, since_ms + p_most_ms))), '{}')
    from (select answered_ms,
                 coalesce(lag(answered_ms) over (order by place), shown_ms) as since_ms
          from gold_answer where exam_id = p_exam and answered_ms is not null) one
    where since_ms < answered_ms
$$;
