-- What operators look after the platform with: a pulse, reasons, notes, and a search.

-- Once a minute, what an engine finds: of it, what a figure usually is, and the work of each hour.
create table pulse (
    at_ms bigint primary key,
    -- answers counted and decisions made, ever
    answers bigint not null,
    decided bigint not null,
    tasks_left bigint not null,
    -- answers that wait for the engine, and how long the oldest has
    inbox bigint not null,
    lag_ms bigint not null,
    -- people who hold a task
    at_work integer not null
);

-- why, when and by whom a contributor was paused or resumed; told to the contributor
alter table contributor
    add column state_reason text not null default '',
    add column state_ms bigint,
    add column state_by bigint references account,
    -- the contributor has read what was told until then
    add column told_seen_ms bigint not null default 0;

-- What operators write about a contributor, to them (told) or for each other.
create table contributor_note (
    id bigint generated always as identity primary key,
    contributor_id bigint not null references contributor,
    -- null: a key
    account_id bigint references account,
    told boolean not null,
    body text not null check (length(body) between 1 and 2000),
    made_ms bigint not null
);
create index contributor_note_contributor on contributor_note (contributor_id, id);

-- few rows, looked for often
create index webhook_delivery_failed on webhook_delivery (id) where state = 'failed';
create index licence_flagged on licence (id) where flagged_ms is not null and ended_ms is null;

-- the audit log by who, by what, by when, and by the number of what was changed
create index audit_log_account on audit_log (account_id, id);
create index audit_log_action on audit_log (action, id);
create index audit_log_subject_id on audit_log (subject_id, id);
create index audit_log_at on audit_log (at_ms, id);

-- Names are found by the beginnings of their words, whatever their case and accents.
-- Bodies are bound when they are made: a restore looks for nothing by name.
create function plain_words(p_text text) returns text language sql immutable parallel safe
return trim(regexp_replace(
    translate(
        replace(replace(replace(lower(p_text), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'),
        'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'),
    '[^[:alnum:]]+', ' ', 'g'));
create function words_of(p_text text) returns tsvector language sql immutable parallel safe
return array_to_tsvector(array_remove(string_to_array(plain_words(p_text), ' '), ''));
-- every word of the text, each as the beginning of one that is looked for; null: it has none
create function words_like(p_text text) returns tsquery language sql stable parallel safe
return (
    select string_agg('''' || word || ''':*', ' & ')::tsquery
    from unnest(array_remove(string_to_array(plain_words(p_text), ' '), '')) as word);
create index client_words on client using gin (words_of(name || ' ' || slug));
create index account_words on account using gin (words_of(name || ' ' || email));
create index contributor_words on contributor using gin (words_of(name));
create index batch_words on batch using gin (words_of(name || ' ' || key));
create index process_words on process using gin (words_of(slug));
