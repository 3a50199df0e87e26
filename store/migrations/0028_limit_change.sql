-- Limits that were approved move with the evidence: each move is kept for good. A line
-- has several loans, so that one loan alone is checked where it is saved.
create table limit_change (
    application_id text   not null references applications (id),
    nr             bigint not null,
    from_limit     bigint not null,
    to_limit       bigint not null,
    decision_id    text   not null,
    cause          text   not null,
    reasons        text   not null,
    at             bigint not null,
    primary key (application_id, nr)
);
alter table decisions add column source text not null default 'asked';
create index applications_subject on applications (tenant, subject_id);
drop index loans_application;
create index loans_application on loans (application_id);
