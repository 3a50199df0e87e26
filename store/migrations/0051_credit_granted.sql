-- A revolving limit counts twice: with what is drawn of it, and whole, as credit granted.
-- amount stays what is out, or promised and drawn once.
alter table exposure_item add column granted bigint not null default 0;
alter table exposure_item add column revolving boolean not null default false;
alter table exposure add column granted bigint not null default 0;

update exposure_item set revolving = true where exists (
	select 1 from applications a join decisions d on d.id = a.decision_id
	where a.tenant = exposure_item.tenant and a.id = exposure_item.application_id and d.product like '%"revolving":true%');

update exposure_item set granted = amount;

update exposure_item set amount = coalesce((select cast(sum(l.outstanding) as bigint) from loans l
	where l.application_id = exposure_item.application_id and l.state in ('drawing', 'active', 'overdue')), 0)
where revolving;

update exposure_item set granted = (select a.credit_limit from applications a where a.id = exposure_item.application_id)
where revolving and exists (select 1 from applications a where a.tenant = exposure_item.tenant
	and a.id = exposure_item.application_id and a.state in ('offered', 'accepted', 'signed', 'active'));

delete from exposure;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'user', user_id, 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item group by tenant, user_id;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'household', household, 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item where household <> '' group by tenant, household;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'party', party, 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item where party <> '' group by tenant, party;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'anchor', anchor, 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item where anchor <> '' group by tenant, anchor;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'product', product, 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item group by tenant, product;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'region', region, 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item where region <> '' group by tenant, region;

insert into exposure (tenant, kind, name, slot, amount, granted)
select tenant, 'total', '', 0, cast(sum(amount) as bigint), cast(sum(granted) as bigint) from exposure_item group by tenant;
