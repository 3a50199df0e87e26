-- What stands behind loans: a pool for each application, changed by events alone. The body
-- of a pool is the state after its version; holds are its assets, to be found by.
create table collateral_pool (
    tenant         text    not null,
    application_id text    not null references applications (id),
    user_id        text    not null,
    closed         boolean not null,
    called         boolean not null,
    version        bigint  not null,
    updated_at     bigint  not null,
    body           text    not null, -- JSON
    primary key (tenant, application_id)
);

create index collateral_pool_user on collateral_pool (tenant, user_id, application_id);

create table collateral_event (
    tenant         text   not null,
    application_id text   not null,
    seq            bigint not null,
    kind           text   not null,
    at             bigint not null,
    body           text   not null, -- JSON
    primary key (tenant, application_id, seq),
    foreign key (tenant, application_id) references collateral_pool (tenant, application_id)
);

create table collateral_key (
    tenant         text   not null,
    idem_key       text   not null,
    hash           text   not null,
    application_id text   not null,
    seq            bigint not null,
    primary key (tenant, idem_key)
);

-- mark names a thing across all tenants: what one of them holds no other can take.
create table collateral_hold (
    tenant         text   not null,
    asset_id       text   not null,
    application_id text   not null,
    kind           text   not null,
    ref            text   not null,
    parent         text   not null,
    obligor_id     text   not null,
    label          text   not null,
    mark           text   not null,
    status         text   not null,
    west           double precision, -- of the ground of a crop
    south          double precision,
    east           double precision,
    north          double precision,
    ground         text   not null, -- coordinates of a GeoJSON polygon, WGS84, or ''
    held_at        bigint not null,
    ended_at       bigint,
    primary key (tenant, asset_id),
    foreign key (tenant, application_id) references collateral_pool (tenant, application_id)
);

create unique index collateral_hold_mark on collateral_hold (mark) where ended_at is null and mark <> '';

create index collateral_hold_ref on collateral_hold (tenant, kind, ref);

create index collateral_hold_parent on collateral_hold (tenant, kind, parent);

create index collateral_hold_obligor on collateral_hold (tenant, obligor_id, asset_id);

create index collateral_hold_west on collateral_hold (west) where ended_at is null;

create table collateral_day (
    tenant         text   not null,
    application_id text   not null,
    day            bigint not null, -- days since 1970-01-01
    body           text   not null, -- JSON
    primary key (tenant, application_id, day)
);

create table collateral_proposal (
    tenant         text    not null,
    id             text    not null,
    application_id text    not null,
    idem_key       text    not null,
    state          text    not null,
    body           text    not null, -- JSON
    hash           text    not null,
    primary key (tenant, id)
);

create unique index collateral_proposal_key on collateral_proposal (tenant, idem_key);

create index collateral_proposal_application on collateral_proposal (tenant, application_id, id);

-- An application may hold more plots than the one that it was signed on.
drop index pledges_application;

create index pledges_application on pledges (application_id);
