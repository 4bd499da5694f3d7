-- Blind answers whose task one person settles who agrees with them were counted by the watch over a
-- licence alone, for an error that this person makes too goes unseen. Now they are evidence like the
-- others, and what goes unseen is measured where more are asked, and taken off what is allowed.
alter table blind_answer rename column watch_only to lone;
-- of a wrong answer that was judged by more: whether the first of them had given it too
alter table blind_answer add column confirmed boolean;
create index blind_answer_confirmed on blind_answer (contributor_id) where confirmed is not null;
