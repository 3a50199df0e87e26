-- Why the last commit of an upload failed, as JSON; '' when it did not.
alter table trade_upload add column failure text not null default '';
