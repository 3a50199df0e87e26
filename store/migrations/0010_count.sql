-- What cameras, gates and people counted in herds and their pens.
create table headcount (
	tenant      text not null,
	id          text not null,
	herd_id     text not null,
	pen_id      text not null, -- '' the whole herd
	device      text not null,
	kind        text not null,
	from_at     bigint not null,
	to_at       bigint not null,
	seen        bigint not null,
	outward     bigint not null,
	matched     bigint, -- null when nobody knows
	picture     text not null, -- SHA-256 in hex, or ''
	received_at bigint not null,
	primary key (tenant, id)
);

-- The same count sent twice is one count.
create unique index headcount_once on headcount (tenant, herd_id, pen_id, device, from_at, to_at, picture);

create index headcount_herd on headcount (tenant, herd_id, to_at, id);

create index headcount_kind on headcount (tenant, herd_id, kind, to_at, id);
