-- A blind answer that only the watch over a licence counts: one person who agrees with it settles
-- its task. An error that this person shares goes unseen, so nothing is proved by it, nor is anybody
-- compared on it; but no error is ever found that two people would not have found.
alter table blind_answer add column watch_only boolean not null default false;
