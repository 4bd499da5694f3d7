-- What of a contributor's pay is held: an engine makes a sheet for each batch and minute of work.
create index pay_sheet_held on pay_sheet (contributor_id, accept_ms) where accepted_ms is null;
