-- Loans that others fund or answer for. Lines are the postings of their ledger entries, and
-- can be made from these again; what stands at a loan and a pool are sums of lines.
create table fund_loan (
    tenant         text not null,
    loan_id        text not null,
    application_id text not null,
    product        text not null,
    agreement      text not null,
    internet       boolean not null, -- bounds on joint internet loans count it
    own            text not null,    -- code of the bank among the funders
    guarantor      text not null,
    guarantor_bp   bigint not null,
    bucket         text not null,    -- of the pool, or ''
    debtor         text not null,
    own_reserved   bigint not null,  -- of a drawdown under way
    reserved       bigint not null,
    drawn          bigint not null,
    body           text not null,    -- JSON: the terms, frozen
    frozen_at      bigint not null,
    primary key (tenant, loan_id)
);
create index fund_loan_bucket on fund_loan (tenant, bucket);
create index fund_loan_guarantor on fund_loan (tenant, guarantor);
create index fund_loan_application on fund_loan (tenant, application_id);

create table fund_position (
    tenant  text not null,
    loan_id text not null,
    party   text not null,
    lends   boolean not null,
    held    bigint not null check (held >= 0), -- principal
    primary key (tenant, loan_id, party)
);
create index fund_position_party on fund_position (tenant, party, loan_id);

create table fund_line (
    tenant    text not null,
    entry_key text not null,
    nr        bigint not null,
    kind      text not null,
    loan_id   text not null,
    event     text not null,
    date      text not null,
    account   text not null,
    party     text not null,
    amount    bigint not null,
    primary key (tenant, entry_key, nr)
);
create index fund_line_loan on fund_line (tenant, loan_id);
create index fund_line_party on fund_line (tenant, party, date);

create table fund_pool (
    tenant   text not null,
    bucket   text not null,
    max_used bigint not null, -- its cap when it was last asked
    used     bigint not null,
    primary key (tenant, bucket)
);

-- Agreements that officers chose for applications.
create table fund_choice (
    tenant         text not null,
    application_id text not null,
    agreement      text not null,
    user_id        text not null,
    at             bigint not null,
    primary key (tenant, application_id)
);
