-- Blind answers whose task one person settles who agrees with them were counted by the watch over a
-- licence alone, for an error that this person makes too goes unseen. Now they are evidence like the
-- others, and what goes unseen is measured where more are asked, and taken off what is allowed.
alter table blind_answer rename column watch_only to lone;
-- of an answer that was judged by more: whether the first of them had given it too
alter table blind_answer add column confirmed boolean;
create index blind_answer_confirmed on blind_answer (root) where confirmed is not null;
update blind_answer b set confirmed = first.value = b.value
from blind_answer o
cross join lateral (
    select a.value from answer a
    join contributor c on c.id = a.contributor_id and c.kind = 'person'
    where a.task_id = o.task_id order by a.submitted_ms, a.contributor_id limit 1) first
where o.id = b.id and b.wrong is not null and not b.lone and b.value <> 'null';
