-- A loan is its terms and a list of events that only grows. What moves by the day stands in
-- a narrow table; schedules are replayed and not kept.

alter table loans add column terms text not null default '';
alter table loans add column product text not null default '';
alter table loans add column class text not null default 'normal';
alter table loans add column overdue_days bigint not null default 0;
alter table loans add column stage bigint not null default 0;
alter table loans add column expected_loss bigint not null default 0;
alter table loans add column retail boolean not null default true;
alter table loans add column floor text not null default '';
-- What the ledger holds of a loan; '' is read from the ledger's balances.
alter table loans add column posted text not null default '';
alter table loans add column events bigint not null default 0;

update loans set product = coalesce(cast(body as {{json}}) ->> 'product', ''),
    class = coalesce(cast(body as {{json}}) ->> 'class', 'normal'),
    overdue_days = coalesce(cast(cast(body as {{json}}) ->> 'overdue_days' as bigint), 0),
    -- of a loan on its way it is what was asked for
    outstanding = case when state = 'drawing' then cast(cast(body as {{json}}) ->> 'principal' as bigint) else outstanding end,
    retail = coalesce(cast(body as {{json}}) -> 'subject' ->> 'kind', '') <> 'firm';
create index loans_class on loans (tenant, class, id);
create index loans_debtor on loans (tenant, user_id) where not retail;

create table loan_days (
    loan_id      text primary key references loans (id),
    tenant       text not null,
    product      text not null,
    version      bigint not null,
    day_end      text not null,
    accrued      bigint not null,
    earned       bigint not null,
    seg_from     bigint not null,
    seg_to       bigint not null,
    seg_interest bigint not null,
    live         boolean not null
);
create index loan_days_live on loan_days (tenant, loan_id) where live;
insert into loan_days (loan_id, tenant, product, version, day_end, accrued, earned, seg_from, seg_to, seg_interest, live)
    select id, tenant, product, version, day_end, coalesce(cast(cast(body as {{json}}) ->> 'accrued' as bigint), 0), 0, 0, 0, 0,
        state in ('active', 'overdue') from loans;

create table loan_events (
    loan_id     text not null references loans (id),
    nr          bigint not null,
    tenant      text not null,
    id          text not null,
    kind        text not null,
    date        text not null,
    amount      bigint not null,
    target      text not null,
    body        text not null,
    by_id       text not null,
    by_name     text not null,
    second      text not null,
    second_name text not null,
    note        text not null,
    idem_key    text not null,
    key_hash    text not null,
    at          bigint not null,
    primary key (loan_id, nr)
);
create unique index loan_events_key on loan_events (tenant, idem_key);
-- The payments of before become events; the one that closed a loan was its payoff.
insert into loan_events (loan_id, nr, tenant, id, kind, date, amount, target, body, by_id, by_name, second, second_name, note, idem_key, key_hash, at)
    select p.loan_id, row_number() over (partition by p.loan_id order by p.id), p.tenant, p.id,
        case when cast(p.body as {{json}}) ->> 'direction' = 'out' then 'disburse'
            when l.state = 'closed' and p.id = (select max(q.id) from payments q where q.loan_id = p.loan_id and q.outcome = 'settled'
                and cast(q.body as {{json}}) ->> 'direction' = 'in') then 'payoff'
            else 'repay' end,
        cast(p.body as {{json}}) ->> 'date', cast(cast(p.body as {{json}}) ->> 'amount' as bigint), '', '', 'system', 'system', '', '', '',
        'payment:' || p.id, p.key_hash, l.updated_at
    from payments p join loans l on l.id = p.loan_id where p.outcome = 'settled';
update loans set events = (select count(*) from loan_events e where e.loan_id = loans.id);
drop table instalments;

create table loan_actions (
    id       text primary key,
    tenant   text not null,
    loan_id  text not null references loans (id),
    state    text not null,
    idem_key text not null,
    key_hash text not null,
    body     text not null
);
create unique index loan_actions_key on loan_actions (tenant, idem_key);
create index loan_actions_list on loan_actions (tenant, state, id);
create index loan_actions_loan on loan_actions (loan_id, id);

create table day_end_runs (
    tenant   text not null,
    date     text not null,
    phase    text not null,
    after_id text not null,
    loans    bigint not null,
    replayed bigint not null,
    overdue  bigint not null,
    failed   bigint not null,
    interest bigint not null,
    start_at bigint not null,
    end_at   bigint,
    primary key (tenant, date)
)
