-- Under which consent an upload is kept; those of before name none.
alter table history add column purpose text not null default '';
alter table history add column consent_id text not null default '';
