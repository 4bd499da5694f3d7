-- What comes with Canut is published when it is new to this database, and not again at every
-- command. The mark is on the version, so that it goes where the version goes.

-- the digest of what came with Canut, where this version was the last to be published from it
-- (canut/processes/shipped.py); null: an older one, one adapted for a batch, or a process of
-- somebody's own
alter table process_version add column shipped text;
