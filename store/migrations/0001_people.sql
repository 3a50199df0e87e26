create table person (
	id         text primary key,
	tenant     text not null,
	login      text not null unique,
	name       text not null,
	role       text not null,
	firm_id    text not null,
	hash       text not null,
	created_at bigint not null
);
create index person_tenant on person (tenant, id);

create table session (
	token_hash text primary key,
	person_id  text not null references person (id),
	tenant     text not null,
	created_at bigint not null,
	expires_at bigint not null
);
create index session_expires on session (expires_at);

create table sign_in_attempt (
	id    text primary key,
	login text not null,
	at    bigint not null
);
create index sign_in_attempt_login on sign_in_attempt (login, at);

create table audit (
	tenant text not null,
	seq    bigint not null,
	actor  text not null,
	action text not null,
	object text not null,
	result text not null,
	at     bigint not null,
	prev   text not null,
	hash   text not null,
	primary key (tenant, seq)
);
