create table firm (
  id text primary key,
  tenant text not null,
  uscc text not null,
  name text not null,
  name_key text not null,
  owner_id text not null,
  anchor boolean not null,
  industry text not null,
  region text not null,
  phone text not null,
  legal_rep text not null,
  upload_id text not null,
  created_at bigint not null
);
create unique index firm_uscc on firm (tenant, uscc) where uscc <> '';
create index firm_name on firm (tenant, name_key);
create index firm_page on firm (tenant, id);
create index firm_owner on firm (tenant, owner_id);

create table firm_revision (
  tenant text primary key,
  n bigint not null
);

create table trade_upload (
  id text primary key,
  tenant text not null,
  anchor_id text not null,
  user_id text not null,
  user_name text not null,
  kind text not null,
  file_name text not null,
  sha256 text not null,
  state text not null,
  rows_read bigint not null,
  good bigint not null,
  known bigint not null,
  bad bigint not null,
  errors text not null,
  created_at bigint not null,
  done_at bigint,
  body {{blob}} not null
);
create index trade_upload_anchor on trade_upload (tenant, anchor_id, created_at);

create table trade_document (
  id text primary key,
  tenant text not null,
  row_key text not null,
  kind text not null,
  number text not null,
  number_key text not null,
  order_no text not null,
  seller_id text not null references firm (id),
  buyer_id text not null references firm (id),
  amount bigint not null,
  goods text not null,
  day text not null,
  upload_id text not null,
  anchor_id text not null,
  funder text not null
);
create unique index trade_document_row on trade_document (tenant, row_key);
create index trade_document_seller on trade_document (tenant, seller_id, kind, day);
create index trade_document_buyer on trade_document (tenant, buyer_id, kind, day);
create index trade_document_day on trade_document (tenant, kind, day, id);
create index trade_document_upload on trade_document (upload_id);

create table reference_node (
  tenant text not null,
  id bigint not null,
  kind text not null,
  node_key text not null,
  name text not null,
  short_name text not null,
  name_key text not null,
  short_key text not null,
  primary key (tenant, id)
);
create index reference_node_name on reference_node (tenant, name_key);
create index reference_node_short on reference_node (tenant, short_key);
create index reference_node_key on reference_node (tenant, node_key);

create table reference_edge (
  tenant text not null,
  rel text not null,
  from_id bigint not null,
  to_id bigint not null,
  weight double precision not null
);
create index reference_edge_from on reference_edge (tenant, from_id);
create index reference_edge_to on reference_edge (tenant, to_id);
