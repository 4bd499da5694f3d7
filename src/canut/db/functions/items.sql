-- item_folded: letters as searches compare them: small, and without accents. Most texts of most
-- items are plain letters, which takes a tenth of the time.
create or replace function item_folded(p_text text)
returns text language sql immutable strict parallel safe as $$
    select case when octet_length(p_text) = length(p_text) then lower(p_text)
        else regexp_replace(normalize(lower(p_text), nfd), '[\u0300-\u036f]+', '', 'g') end
$$;

-- item_text: what an item says, folded; at most 4,000 letters of it.
create or replace function item_text(p_payload jsonb)
returns text language sql immutable strict parallel safe as $$
    select item_folded(coalesce(left(string_agg(value, ' '), 4000), ''))
    from jsonb_each_text(p_payload)
$$;

-- item_words: its words: what \m begins in a regular expression, cut at 60 letters.
create or replace function item_words(p_folded text)
returns setof text language sql immutable strict parallel safe rows 20 as $$
    select left(word, 60) from regexp_split_to_table(p_folded, '\W+') word where word <> ''
$$;

-- item_blocks: of the blocks whose words answer a query, those that lie after an item, or before it,
-- the nearest first. Only the index of words may be asked: the words themselves lie elsewhere, and
-- to read those of every block takes a hundred times as long as planners think. The query names the
-- batch.
create or replace function item_blocks(p_query tsquery, p_item bigint, p_back boolean, p_most integer)
returns table (first_item bigint, last_item bigint) language sql stable rows 10
set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
    select first_item, last_item from item_block
    where words @@ p_query
      and case when p_back then first_item < p_item else last_item > p_item end
    order by case when p_back then -first_item else first_item end
    limit p_most
$$;
