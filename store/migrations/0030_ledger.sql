-- Holds, limits and closed periods of the ledger; its postings by account, its turnovers by day.

alter table ledger_heads add column at bigint not null default 0;
alter table ledger_heads add column expires bigint not null default 0;
alter table ledger_heads add column closed text not null default '{}';
alter table ledger_heads add column bare bigint not null default 0;
-- Entries of before are put into the index of accounts by the program.
update ledger_heads set bare = seq;

alter table ledger_entries add column op text not null default '';
alter table ledger_entries add column hold text not null default '';
alter table ledger_entries add column until bigint not null default 0;
alter table ledger_entries add column override boolean not null default false;
create index ledger_entries_date on ledger_entries (tenant, date, seq);

alter table ledger_balances add column held_debits bigint not null default 0;
alter table ledger_balances add column held_credits bigint not null default 0;

create table ledger_postings (
    tenant  text not null,
    account text not null,
    seq     bigint not null,
    nr      bigint not null,
    item    text not null,
    date    text not null,
    amount  bigint not null,
    primary key (tenant, account, seq, nr)
);
create index ledger_postings_item on ledger_postings (tenant, item, account);

create table ledger_days (
    tenant  text not null,
    account text not null,
    date    text not null,
    debits  bigint not null,
    credits bigint not null,
    primary key (tenant, account, date)
);

create table ledger_holds (
    tenant   text not null,
    idem_key text not null,
    seq      bigint not null,
    state    text not null,
    until    bigint not null,
    ended_by text not null,
    primary key (tenant, idem_key)
);
create index ledger_holds_until on ledger_holds (tenant, state, until);
