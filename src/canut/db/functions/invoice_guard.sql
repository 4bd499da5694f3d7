-- invoice_stays: what was billed is never changed nor removed; a credit note corrects it
create or replace function invoice_stays() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a credit note corrects an invoice', tg_table_name
        using errcode = 'restrict_violation';
end $$;

create or replace trigger invoice_stays before update or delete or truncate
    on invoice for each statement execute function invoice_stays();
create or replace trigger invoice_line_stays before update or delete or truncate
    on invoice_line for each statement execute function invoice_stays();
