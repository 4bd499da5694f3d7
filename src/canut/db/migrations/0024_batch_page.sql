-- What the page of a batch reads: its items in any of several orders, words of items, and its pace.

-- the items of a step by who decided, by what was decided, and by how sure that is: each in the
-- order in which a page lists them, so that a page is one walk along an index. A value may be
-- larger than an index takes; its hash leads to it, and the value itself is compared then.
create index decision_method on decision (batch_step_id, method, item_id);
create index decision_value on decision (batch_step_id, jsonb_hash_extended(value, 0), item_id);
create index decision_confidence on decision (batch_step_id, confidence, item_id);
-- what is not decided yet, apart for what waits for an expert
create index task_undecided on task (batch_step_id, expert, item_id)
    where not decided and kind = 'work';

-- The words of 256 items that follow each other, each word after the number of the batch and a
-- stroke. A search finds blocks here, and reads their items; an index of every item's own words
-- would make an import several times slower. Items after the last block are read as they are.
create table item_block (
    batch_id bigint not null,
    first_item bigint not null,
    last_item bigint not null,
    words tsvector not null,
    primary key (batch_id, first_item)
);
create index item_block_words on item_block using gin (words) with (fastupdate = off);
alter table batch add column n_woven bigint not null default 0;
comment on column batch.n_woven is 'items whose words are in item_block';
create index batch_unwoven on batch (id) where n_items - n_woven >= 256;

-- How far a batch was at a time: each minute in which it moved, and once an hour where it did not.
create table batch_pulse (
    batch_id bigint not null,
    at_ms bigint not null,
    n_answers bigint not null,
    n_decided bigint not null,
    primary key (batch_id, at_ms)
);

-- what the agents of a batch have cost
create index llm_spend_batch on llm_spend (of) where kind = 'batch';
