-- Who is who: lives of animals with all their codes and tags, pens, devices that wait
-- for their herd, and pledges of single animals.
alter table herd add column holding text not null default '';

alter table herd add column region text not null default ''; -- county of GB/T 2260

alter table herd add column pens text not null default '[]'; -- JSON

-- What an animal is now, derived from its events.
alter table animal add column pen_id text not null default '';

alter table animal add column breed text not null default '';

alter table animal add column status text not null default 'alive';

alter table animal add column bred bigint; -- null when it is not known to be pregnant

alter table animal add column heads bigint not null default 0;

-- A code belongs to an animal for all time: see identifier.
drop index animal_code;

create table life_event (
	tenant      text not null,
	id          text not null,
	animal_id   text not null,
	kind        text not null,
	at          bigint not null,
	recorded_at bigint not null,
	actor       text not null,
	source      text not null,
	key         text, -- of the system it came from
	detail      text not null, -- JSON
	primary key (tenant, id),
	foreign key (tenant, animal_id) references animal (tenant, id)
);

create index life_event_animal on life_event (tenant, animal_id, at, id);

create unique index life_event_key on life_event (tenant, source, key);

create table identifier (
	tenant    text not null,
	scheme    text not null,
	code      text not null,
	animal_id text not null,
	since     bigint not null,
	until     bigint, -- null of a code that it has now
	reason    text not null,
	actor     text not null,
	foreign key (tenant, animal_id) references animal (tenant, id)
);

create index identifier_code on identifier (tenant, scheme, code);

create index identifier_animal on identifier (tenant, animal_id);

create table wearing (
	tenant    text not null,
	tag_id    text not null,
	animal_id text not null,
	since     bigint not null,
	until     bigint, -- null of a tag that it wears now
	reason    text not null,
	actor     text not null,
	foreign key (tenant, animal_id) references animal (tenant, id)
);

create index wearing_tag on wearing (tenant, tag_id, since);

create index wearing_animal on wearing (tenant, animal_id);

create unique index wearing_now on wearing (tenant, tag_id) where until is null;

-- Animals that were registered before have one event: that they were.
insert into life_event (tenant, id, animal_id, kind, at, recorded_at, actor, source, detail)
	select a.tenant, a.id, a.id, 'registered', h.created_at, h.created_at, '', 'registration',
		'{"herd_id":"' || a.herd_id || '","identity":{"scheme":"' || a.scheme || '","code":"' || a.code || '"},"tag_id":"' || coalesce(a.tag_id, '') || '"}'
	from animal a join herd h on h.tenant = a.tenant and h.id = a.herd_id;

insert into identifier (tenant, scheme, code, animal_id, since, reason, actor)
	select a.tenant, a.scheme, a.code, a.id, h.created_at, '', ''
	from animal a join herd h on h.tenant = a.tenant and h.id = a.herd_id;

insert into wearing (tenant, tag_id, animal_id, since, reason, actor)
	select a.tenant, a.tag_id, a.id, h.created_at, '', ''
	from animal a join herd h on h.tenant = a.tenant and h.id = a.herd_id where a.tag_id is not null;

-- Devices, now also without a herd.
create table device_of (
	tenant      text not null,
	id          text not null,
	kind        text not null,
	herd_id     text, -- null of a network server, and until the device is claimed
	pen_id      text not null,
	profile     text not null,
	secret_hash text not null, -- hex SHA-256 of a random 256-bit secret; '' without one
	revoked     boolean not null,
	created_at  bigint not null,
	primary key (tenant, id),
	foreign key (tenant, herd_id) references herd (tenant, id)
);

insert into device_of (tenant, id, kind, herd_id, pen_id, profile, secret_hash, revoked, created_at)
	select tenant, id, kind, herd_id, '', '', secret_hash, revoked, created_at from device;

drop table device;

alter table device_of rename to device;

create index device_herd on device (tenant, herd_id, id);

create index device_secret on device (secret_hash);

create table device_claim (
	tenant     text not null,
	device_id  text not null,
	code_hash  text not null,
	expires_at bigint not null,
	primary key (tenant, device_id),
	foreign key (tenant, device_id) references device (tenant, id)
);

-- Wrong claim codes of a device ("device/...") or a person ("person/...").
create table claim_failure (
	tenant  text not null,
	subject text not null,
	n       bigint not null,
	since   bigint not null,
	primary key (tenant, subject)
);

create table pledge (
	tenant    text not null,
	animal_id text not null,
	ref       text not null, -- application
	herd_id   text not null,
	since     bigint not null,
	until     bigint, -- null while it stands
	foreign key (tenant, animal_id) references animal (tenant, id)
);

create unique index pledge_now on pledge (tenant, animal_id) where until is null;

create index pledge_ref on pledge (tenant, ref);

create index pledge_animal on pledge (tenant, animal_id, since);

create index quarantine_code on quarantine (tenant, code, id);
