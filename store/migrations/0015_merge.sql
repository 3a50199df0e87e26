alter table firm add column controller text not null default '';
alter table firm add column address text not null default '';
alter table firm add column industry_code text not null default '';
alter table firm add column scope text not null default '';
alter table firm add column founded text not null default '';
alter table firm add column capital bigint not null default 0;
alter table firm add column former_names text not null default '[]';
alter table firm add column short_names text not null default '[]';
alter table firm add column survivor_id text not null default '';
update firm set survivor_id = id;
create index firm_survivor on firm (tenant, survivor_id);

create table firm_alias (
  tenant text not null,
  name_key text not null,
  firm_id text not null,
  primary key (tenant, name_key, firm_id)
);
create index firm_alias_firm on firm_alias (tenant, firm_id);

create table firm_merge (
  id text primary key,
  tenant text not null,
  kind text not null,
  firm_id text not null,
  other_id text not null,
  by_id text not null,
  by_name text not null,
  at bigint not null,
  why text not null,
  score double precision not null,
  evidence text not null,
  survivor_before text not null,
  decision_before text not null,
  undoes text not null,
  ended_by text not null
);
create index firm_merge_page on firm_merge (tenant, id);
create index firm_merge_firm on firm_merge (tenant, firm_id, kind);
create index firm_merge_other on firm_merge (tenant, other_id, kind);
create index firm_merge_ended on firm_merge (tenant, ended_by);

create table firm_decision (
  tenant text not null,
  low_id text not null,
  high_id text not null,
  answer text not null,
  merge_id text not null,
  primary key (tenant, low_id, high_id)
);
create index firm_decision_high on firm_decision (tenant, high_id);

create table firm_candidate (
  tenant text not null,
  low_id text not null,
  high_id text not null,
  score double precision not null,
  reasons text not null,
  found_at bigint not null,
  primary key (tenant, low_id, high_id)
);
create index firm_candidate_score on firm_candidate (tenant, score, low_id, high_id);
