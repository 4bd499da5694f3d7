-- An agent's licence may hold for parts of the work, each with its own evidence and threshold.

-- what parts it: a field of the item, 'answer', or nothing
alter table batch_step
    add column slices text not null default '',
    add column slices_max smallint not null default 8;

-- {by, most, parts}: see quality.licences.slices; null: one licence for all the work
alter table licence add column slices jsonb;

-- what the item or the answer says, as it was when the answer fell into the stream; the licence
-- says which part that is
alter table blind_answer add column slice text not null default '';
