-- Salted hashes of invoices that funders were promised, as they told each other.
create table fingerprint (
  tenant text not null,
  hash text not null,
  publisher text not null,
  published bigint not null,
  primary key (tenant, hash, publisher)
);
