-- The evidence that is kept of borrowers, quotes about it, and runs that decide about all.

create table snapshot (
    id            text primary key,
    tenant        text not null,
    user_id       text not null,
    subject_kind  text not null,
    subject_id    text not null,
    product       text not null,
    evidence_hash text not null,
    evidence      text not null,
    taken_at      bigint not null
);
create unique index snapshot_key on snapshot (tenant, user_id, subject_kind, subject_id, product);
create index snapshot_list on snapshot (tenant, id);

-- Evidence that was quoted on or replaced, under its hash.
create table evidence (
    hash text primary key,
    body text not null
);

-- Products and models as they were, under their hashes.
create table frozen_text (
    hash text primary key,
    body text not null
);

create table quote (
    id            text primary key,
    tenant        text not null,
    snapshot_id   text not null,
    body          text not null,
    evidence_hash text not null,
    product_hash  text not null,
    policy_hash   text not null,
    models        text not null
);
create index quote_list on quote (tenant, snapshot_id, id);

create table quote_run (
    id     text primary key,
    tenant text not null,
    after  text not null,
    body   text not null
);
create index quote_run_list on quote_run (tenant, id);

create table verdict (
    snapshot_id   text primary key,
    tenant        text not null,
    run_id        text not null,
    outcome       text not null,
    credit_limit  bigint not null,
    rate          bigint not null,
    score         bigint not null,
    policy        text not null,
    evidence_hash text not null,
    error         text not null,
    at            bigint not null
);
