-- Versions of policies with their moves, and what shadows would have decided.

create table strategy (
    id         text primary key,
    tenant     text not null,
    name       text not null,
    number     bigint not null,
    label      text not null,
    source     text not null,
    hash       text not null,
    status     text not null,
    share_bp   bigint not null,
    note       text not null,
    author     text not null,
    by_name    text not null,
    based_on   text not null,
    revision   bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index strategy_number on strategy (tenant, name, number);
create index strategy_status on strategy (tenant, status);
create unique index strategy_champion on strategy (tenant, name) where status = 'champion';
create unique index strategy_challenger on strategy (tenant, name) where status = 'challenger';

create table strategy_event (
    strategy_id text not null references strategy (id),
    nr          bigint not null,
    from_status text not null,
    to_status   text not null,
    actor       text not null,
    actor_name  text not null,
    note        text not null,
    at          bigint not null,
    primary key (strategy_id, nr)
);

-- Counts the changes of what is in force, so that other processes notice.
create table strategy_revision (
    tenant   text primary key,
    revision bigint not null
);

create table strategy_ghost (
    strategy_id text not null references strategy (id),
    decision_id text not null,
    body        text not null,
    primary key (strategy_id, decision_id)
);

create index decisions_list on decisions (tenant, id);
