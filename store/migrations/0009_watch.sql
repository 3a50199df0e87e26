-- What the watch knows of each herd, over a restart.
create table watch_state (
	tenant  text not null,
	herd_id text not null,
	at      bigint not null,
	state   {{blob}} not null, -- as iot/watch writes it, with version and checksum
	primary key (tenant, herd_id)
);
