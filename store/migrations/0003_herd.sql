-- Herds, their animals and devices, and the quarantine of refused payloads.
create table herd (
	tenant     text not null,
	id         text not null,
	owner_id   text not null,
	owner_name text not null,
	name       text not null,
	species    text not null,
	fence      text not null, -- coordinates of a GeoJSON polygon, WGS84
	created_at bigint not null,
	primary key (tenant, id)
);

create index herd_owner on herd (tenant, owner_id, id);

create table animal (
	tenant  text not null,
	id      text not null,
	herd_id text not null,
	scheme  text not null,
	code    text not null,
	species text not null,
	sex     text not null,
	born    bigint, -- null when nobody knows
	tag_id  text, -- null without a tag
	primary key (tenant, id),
	foreign key (tenant, herd_id) references herd (tenant, id)
);

create unique index animal_code on animal (tenant, scheme, code);

create unique index animal_tag on animal (tenant, tag_id);

create index animal_herd on animal (tenant, herd_id, id);

create table device (
	tenant      text not null,
	id          text not null,
	kind        text not null,
	herd_id     text not null,
	secret_hash text not null, -- hex SHA-256 of a random 256-bit secret
	revoked     boolean not null,
	created_at  bigint not null,
	primary key (tenant, id),
	foreign key (tenant, herd_id) references herd (tenant, id)
);

create index device_herd on device (tenant, herd_id, id);

create table quarantine (
	tenant      text not null,
	id          text not null,
	topic       text not null,
	device      text not null,
	code        text not null,
	reason      text not null,
	args        text not null, -- JSON
	payload     {{blob}} not null,
	received_at bigint not null,
	primary key (tenant, id)
);
