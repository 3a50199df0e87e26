-- Movements of loans between the five tiers.
create table loan_tiers (
    id         text   primary key,
    tenant     text   not null,
    loan_id    text   not null references loans (id),
    date       text   not null,
    from_tier  text   not null,
    to_tier    text   not null,
    why        text   not null,
    days       bigint not null, -- overdue
    amount     bigint not null, -- fen of principal
    at         bigint not null
);

create index loan_tiers_date on loan_tiers (tenant, date, id);

create index loan_tiers_loan on loan_tiers (tenant, loan_id, id);

-- Periods of the book that one officer wants to close and another agrees to.
create table ledger_closings (
    id      text primary key,
    tenant  text not null,
    state   text not null,
    through text not null,
    body    text not null -- JSON
);

create index ledger_closings_tenant on ledger_closings (tenant, id);
