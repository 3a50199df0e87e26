-- Who was asked to answer for a loan and declined, and why.
alter table surety add column declined_at bigint;
alter table surety add column reason text not null default '';
