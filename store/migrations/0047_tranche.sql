-- What is planned to go out of a loan that is paid out in parts, beside what is owed of it.
alter table loans add column undrawn bigint not null default 0;
create index loans_undrawn on loans (tenant, id) where undrawn > 0;
