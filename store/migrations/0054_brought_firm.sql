-- The people of one firm see what any of them brought.
alter table applications add column brought_firm text not null default '';
update applications set brought_firm = coalesce((select firm_id from person u where u.id = brought_by and u.tenant = applications.tenant), '') where brought_by <> '';
