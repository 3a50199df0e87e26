-- Trade documents in full. What a document is (its sides, kind, number and whether it is
-- promised to a funder or void) is the unique key itself: a hash beside it would be one
-- more index in random order. Firms are not referenced by key, which would be asked for
-- twice a row; commits and undos keep them together.
create table trade_document_full (
  id text primary key,
  tenant text not null,
  kind text not null,
  number text not null,
  number_key text not null,
  variant text not null, -- '' or the funder in capitals, '!void' of a cancelled one
  order_no text not null,
  contract_no text not null,
  contract_key text not null,
  invoice_no text not null,
  seller_id text not null,
  buyer_id text not null,
  amount bigint not null,
  tax bigint not null,
  goods text not null,
  quantity double precision not null,
  unit text not null,
  code text not null,
  type text not null,
  day text not null,
  due text not null,
  void boolean not null,
  upload_id text not null,
  anchor_id text not null,
  funder text not null
);
insert into trade_document_full select id, tenant, kind, number, number_key, upper(funder), order_no, '', '', '',
  seller_id, buyer_id, amount, 0, goods, 0, '', '', '', day, '', false, upload_id, anchor_id, funder from trade_document;
drop table trade_document;
alter table trade_document_full rename to trade_document;
create unique index trade_document_pair on trade_document (tenant, seller_id, buyer_id, kind, number_key, variant);
create index trade_document_day on trade_document (tenant, kind, day);
create index trade_document_upload on trade_document (upload_id);

-- What each pair of firms traded, and the revision of the books at which that last
-- changed. A pair that is no more stays with documents = 0, so that readers hear of it.
create table trade_link (
  tenant text not null,
  seller_id text not null,
  buyer_id text not null,
  revision bigint not null,
  documents bigint not null,
  contracts bigint not null,
  orders bigint not null,
  deliveries bigint not null,
  invoices bigint not null,
  payments bigint not null,
  confirmations bigint not null,
  ordered bigint not null,
  invoiced bigint not null,
  paid bigint not null,
  first_day text not null,
  last_day text not null,
  primary key (tenant, seller_id, buyer_id)
);
insert into trade_link select tenant, seller_id, buyer_id, 0, sum(n), 0, sum(case when kind = 'orders' then 1 else 0 end),
  sum(case when kind = 'deliveries' then 1 else 0 end), sum(case when kind = 'invoices' then 1 else 0 end),
  sum(case when kind = 'payments' then 1 else 0 end), 0, cast(sum(case when kind = 'orders' then amount else 0 end) as bigint),
  cast(sum(case when kind = 'invoices' then amount else 0 end) as bigint), cast(sum(case when kind = 'payments' then amount else 0 end) as bigint),
  coalesce(min(first_day), ''), coalesce(max(last_day), '')
  from (select tenant, seller_id, buyer_id, kind, number_key, count(*) as n, max(amount) as amount,
    min(case when kind <> 'suppliers' then day end) as first_day, max(case when kind <> 'suppliers' then day end) as last_day
    from trade_document group by tenant, seller_id, buyer_id, kind, number_key) d
  group by tenant, seller_id, buyer_id;
create index trade_link_buyer on trade_link (tenant, buyer_id, seller_id);
create index trade_link_revision on trade_link (tenant, revision);

-- Uploads lie in parts: the file as it came, its good rows as they were read, its bad
-- ones with what is wrong.
alter table trade_upload add column rows_done bigint not null default 0;
alter table trade_upload add column rows_total bigint not null default 0;
alter table trade_upload add column touched_at bigint not null default 0;
alter table trade_upload add column revision bigint not null default 0;
alter table trade_upload add column same_as text not null default '';
alter table trade_upload drop column body;
update trade_upload set state = 'lapsed' where state = 'checked';
create index firm_upload on firm (upload_id) where upload_id <> '';
create index trade_upload_work on trade_upload (tenant) where state = 'committing';
create index trade_upload_file on trade_upload (tenant, anchor_id, sha256);

create table upload_part (
  tenant text not null,
  upload_id text not null,
  stream text not null, -- 'file', 'good' or 'bad'
  n bigint not null,
  body {{blob}} not null,
  primary key (upload_id, stream, n)
);

-- An upload leans on earlier ones whose rows it brought again.
create table upload_lean (
  tenant text not null,
  upload_id text not null,
  on_id text not null,
  documents bigint not null,
  primary key (upload_id, on_id)
);
create index upload_lean_on on upload_lean (on_id);
