-- Who borrowers are, and what was uploaded of them.
create table borrower (
	tenant     text not null,
	user_id    text not null,
	kind       text not null,
	birth_year bigint not null,
	region     text not null,
	industry   text not null,
	household  text not null,
	party      text not null, -- who stand for each other
	updated_at bigint not null,
	updated_by text not null,
	primary key (tenant, user_id)
);

create table history (
	tenant    text not null,
	user_id   text not null,
	kind      text not null,
	hash      text not null, -- of body
	id        text not null,
	at        bigint not null,
	saved_at  bigint not null,
	brought   text not null, -- user id
	file      text not null,
	file_hash text not null,
	body      text not null, -- JSON
	primary key (tenant, user_id, kind, hash)
);
create index history_newest on history (tenant, user_id, kind, at, saved_at, id);

-- What is lent under each application, or promised and can still be drawn, with the
-- names under which it counts.
create table exposure_item (
	tenant         text not null,
	application_id text not null,
	user_id        text not null,
	household      text not null,
	party          text not null,
	anchor         text not null,
	product        text not null,
	region         text not null,
	amount         bigint not null,
	primary key (tenant, application_id)
);
create index exposure_item_user on exposure_item (tenant, user_id);

-- Their sums. A sum is spread over slots, so that writers of the same product or house
-- do not wait for each other.
create table exposure (
	tenant text not null,
	kind   text not null, -- user, household, party, anchor, product, region, total
	name   text not null,
	slot   bigint not null,
	amount bigint not null,
	primary key (tenant, kind, name, slot)
);

insert into exposure_item (tenant, application_id, user_id, household, party, anchor, product, region, amount)
select a.tenant, a.id, a.user_id, '', '', '', a.product, '',
	case when a.state = 'active' then coalesce((select cast(sum(l.outstanding) as bigint) from loans l
		where l.application_id = a.id and l.state in ('active', 'overdue')), 0) else a.credit_limit end
from applications a where a.state in ('offered', 'signed', 'active');

insert into exposure (tenant, kind, name, slot, amount)
select tenant, 'user', user_id, 0, cast(sum(amount) as bigint) from exposure_item group by tenant, user_id;

insert into exposure (tenant, kind, name, slot, amount)
select tenant, 'product', product, 0, cast(sum(amount) as bigint) from exposure_item group by tenant, product;

insert into exposure (tenant, kind, name, slot, amount)
select tenant, 'total', '', 0, cast(sum(amount) as bigint) from exposure_item group by tenant;
