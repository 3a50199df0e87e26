-- What people agreed to and took back; rows are only ever added.
create table consent (
	tenant   text not null,
	user_id  text not null,
	nr       bigint not null, -- 1, 2, ... of the person
	id       text not null,
	kind     text not null,
	purpose  text not null,
	part     text not null,
	words    text not null, -- SHA-256 of the text, hex
	version  text not null,
	at       bigint not null,
	saved_at bigint not null,
	channel  text not null,
	device   text not null,
	brought  text not null, -- user id of who brought it
	proof    text not null,
	primary key (tenant, user_id, nr)
);

-- Borrowers who ask that a person looks at a decision, once for each decision.
create table review (
	tenant         text not null,
	id             text not null,
	application_id text not null references applications (id),
	decision_id    text not null,
	user_id        text not null,
	user_name      text not null,
	reason         text not null,
	opened_at      bigint not null,
	closed_at      bigint,
	closed_by      text not null,
	answer         text not null,
	primary key (tenant, id)
);
create unique index review_decision on review (tenant, decision_id);
create index review_application on review (tenant, application_id);
create index review_open on review (tenant, id) where closed_at is null;
