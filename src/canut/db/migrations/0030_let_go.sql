-- Tasks that a contributor gave back, among tens of thousands that they answered.
create index work_time_let_go on work_time (contributor_id, ended_ms) where not answered;
