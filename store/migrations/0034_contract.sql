-- Drafts, how applications came, signed documents with their evidence, and who answers.

alter table applications add column channel text not null default '';
alter table applications add column brought_by text not null default '';
alter table applications add column stated_on text not null default '';
alter table applications add column stated_why text not null default '';

-- The bytes that were signed, once under their SHA-256.
create table contract_document (
	tenant         text not null,
	hash           text not null,
	application_id text not null references applications (id),
	body           {{blob}} not null,
	at             bigint not null,
	primary key (tenant, hash)
);

-- The end of the chain of signatures of a tenant.
create table contract_head (
	tenant text primary key,
	nr     bigint not null,
	hash   text not null
);

-- Evidence of signatures; rows are only ever added.
create table contract_signature (
	tenant         text not null,
	nr             bigint not null, -- 1, 2, ... of the tenant
	application_id text not null references applications (id),
	body           text not null,
	hash           text not null,
	primary key (tenant, nr)
);
create index contract_signature_application on contract_signature (application_id, nr);

-- Public keys with which the house signed, PEM.
create table contract_key (
	tenant text not null,
	id     text not null,
	pem    text not null,
	at     bigint not null,
	primary key (tenant, id)
);

-- Who answers for a loan besides its borrower.
create table surety (
	tenant         text not null,
	application_id text not null references applications (id),
	nr             bigint not null,
	user_id        text not null,
	name           text not null,
	code           text not null,
	signed_at      bigint,
	primary key (application_id, nr)
);
create index surety_user on surety (tenant, user_id, application_id);
