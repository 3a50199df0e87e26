-- Applications, decisions with what they saw, contracts, pledges; loans; the ledger; alerts.

create table applications (
    id           text primary key,
    tenant       text not null,
    user_id      text not null,
    user_name    text not null,
    subject_kind text not null,
    subject_id   text not null,
    subject_name text not null,
    product      text not null,
    asked        bigint not null,
    term_months  bigint not null,
    purpose      text not null,
    state        text not null,
    decision_id  text not null,
    loan_id      text not null,
    credit_limit bigint not null,
    rate         bigint not null,
    idem_key     text not null,
    key_hash     text not null,
    created_at   bigint not null,
    updated_at   bigint not null
);
create unique index applications_key on applications (tenant, user_id, idem_key);
create index applications_list on applications (tenant, id);
create index applications_state on applications (tenant, state, id);
create index applications_user on applications (tenant, user_id, id);

create table application_steps (
    application_id text not null references applications (id),
    nr             bigint not null,
    from_state     text not null,
    to_state       text not null,
    actor          text not null,
    actor_name     text not null,
    note           text not null,
    at             bigint not null,
    primary key (application_id, nr)
);

-- A policy file is kept once, under its hash, for replays.
create table policies (
    hash   text primary key,
    source text not null
);

create table decisions (
    id             text primary key,
    tenant         text not null,
    application_id text not null references applications (id),
    body           text not null,
    evidence       text not null,
    product        text not null,
    policy_hash    text not null references policies (hash)
);
create index decisions_application on decisions (application_id);

create table contracts (
    application_id text primary key references applications (id),
    body           text not null,
    signed_at      bigint not null
);

create table pledges (
    tenant         text not null,
    subject_kind   text not null,
    subject_id     text not null,
    application_id text not null references applications (id),
    primary key (tenant, subject_kind, subject_id)
);
create unique index pledges_application on pledges (application_id);

create table loans (
    id             text primary key,
    tenant         text not null,
    application_id text not null references applications (id),
    user_id        text not null,
    subject_id     text not null,
    state          text not null,
    outstanding    bigint not null,
    overdue_amount bigint not null,
    worst_overdue  bigint not null,
    day_end        text not null,
    updated_at     bigint not null,
    version        bigint not null,
    body           text not null
);
create unique index loans_application on loans (application_id) where state <> 'failed';
create index loans_list on loans (tenant, id);
create index loans_user on loans (tenant, user_id, id);
create index loans_open on loans (tenant, state, day_end);

create table instalments (
    loan_id text not null references loans (id),
    nr      bigint not null,
    body    text not null,
    primary key (loan_id, nr)
);

create table payments (
    id       text primary key,
    tenant   text not null,
    loan_id  text not null references loans (id),
    outcome  text not null,
    idem_key text not null,
    key_hash text not null,
    body     text not null
);
create unique index payments_key on payments (tenant, idem_key);
create index payments_loan on payments (loan_id, id);
create index payments_outcome on payments (tenant, outcome);

create table ledger_heads (
    tenant text primary key,
    seq    bigint not null,
    hash   text not null
);

create table ledger_entries (
    tenant     text not null,
    seq        bigint not null,
    idem_key   text not null,
    kind       text not null,
    item       text not null,
    date       text not null,
    memo       text not null,
    postings   text not null,
    at         bigint not null,
    input_hash text not null,
    prev       text not null,
    hash       text not null,
    primary key (tenant, seq)
);
create unique index ledger_entries_key on ledger_entries (tenant, idem_key);
create index ledger_entries_item on ledger_entries (tenant, item, seq);

create table ledger_balances (
    tenant  text not null,
    account text not null,
    item    text not null,
    amount  bigint not null,
    primary key (tenant, account, item)
);

create table alerts (
    id           text primary key,
    tenant       text not null,
    kind         text not null,
    severity     text not null,
    subject_kind text not null,
    subject_id   text not null,
    item         text not null,
    label        text not null,
    loan_id      text not null,
    evidence     text not null,
    seen         bigint not null,
    event_at     bigint not null,
    opened_at    bigint not null,
    updated_at   bigint not null,
    closed_at    bigint,
    closed_by    text not null,
    cause        text not null
);
create unique index alerts_open on alerts (tenant, kind, subject_id, item) where closed_at is null;
create index alerts_list on alerts (tenant, id);
create index alerts_subject on alerts (tenant, subject_id, id);
