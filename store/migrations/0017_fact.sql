-- What documents state about trade between firms, and what was decided about it.
create table trade_fact (
  id text primary key,
  tenant text not null,
  fact_key text not null, -- the same statement of the same document has the same
  document text not null,
  sha256 text not null,
  head text not null,
  relation text not null,
  tail text not null,
  fact text not null, -- JSON: all of it, with the quote and its place
  head_id text not null, -- '' when not known
  tail_id text not null,
  state text not null, -- pending, accepted, rejected
  reason text not null,
  decided_by text not null,
  decided_at bigint,
  created_at bigint not null
);
create unique index trade_fact_key on trade_fact (tenant, fact_key);
create index trade_fact_state on trade_fact (tenant, state, id);
create index trade_fact_head on trade_fact (tenant, head_id, id);
create index trade_fact_tail on trade_fact (tenant, tail_id, id)
