-- The register of models that score. A version's file never changes; its status and
-- reviews are told beside it.
create table model (
	tenant       text not null,
	name         text not null,
	version      text not null,
	id           text not null, -- name@version:hash, as decisions name it
	applicant    text not null,
	status       text not null,
	seq          bigint not null, -- changes so far
	added_at     bigint not null,
	published_at bigint,
	retired_at   bigint,
	body         text not null, -- JSON: the rest of the entry
	file         text not null, -- JSON: the model
	primary key (tenant, name, version)
);

create unique index model_published on model (tenant, name) where status = 'published';

create table model_review (
	tenant  text not null,
	name    text not null,
	version text not null,
	id      text not null,
	body    text not null, -- JSON
	primary key (tenant, name, version, id)
);

-- Decisions of a span of time: their ids begin with the time.
create index decisions_tenant on decisions (tenant, id);
