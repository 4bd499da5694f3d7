-- Times that devices reported and that were not counted yet.
alter table activity add column fresh boolean not null default true;
create index activity_fresh on activity (contributor_id) where fresh;
