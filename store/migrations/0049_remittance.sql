-- Payouts of fees that were collected with loans for others.
create table remittance (
    id         text   not null primary key, -- and of the payment order
    tenant     text   not null,
    payee      text   not null,
    state      text   not null,
    idem_key   text   not null,
    key_hash   text   not null,
    updated_at bigint not null,
    body       text   not null -- JSON
);

create unique index remittance_key on remittance (tenant, idem_key);

-- One at a time to a payee, so that nothing is paid out twice.
create unique index remittance_open on remittance (tenant, payee) where state in ('asked', 'sending');

create index remittance_tenant on remittance (tenant, payee, id);

create index remittance_state on remittance (state, updated_at);

create table remittance_part (
    remittance_id text   not null references remittance (id),
    loan_id       text   not null,
    borrower      text   not null,
    product       text   not null,
    amount        bigint not null, -- fen; below zero a claim that is set off
    primary key (remittance_id, loan_id)
);
