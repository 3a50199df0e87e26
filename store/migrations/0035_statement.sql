-- Monthly statements of loans as they were given out. One that is corrected stays beside
-- the version that replaces it.
create table loan_statements (
    loan_id text not null references loans (id),
    month   text not null,
    version bigint not null,
    tenant  text not null,
    body    text not null,
    primary key (loan_id, month, version)
)
