-- What a run's file summed to (minor units) when it was first taken: from then on the bank may have
-- it. Null: nobody has taken it.
alter table payout_run add column file_total bigint;

-- files that were taken before this was kept held every payout of their run
update payout_run r set file_total = r.total
where r.state = 'approved' and exists (
    select from audit_log a where a.subject = 'payout_run' and a.subject_id = r.id::text
    and a.action = 'export.payout_run');

-- A keeper says that a payout which may have left did not arrive; a second one has to say so too.
create table payout_return (
    payout_id bigint primary key references payout,
    account_id bigint not null references account,
    why text not null,
    at_ms bigint not null
);
