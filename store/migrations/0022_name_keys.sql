-- By which rules the keys of names were made: there is one row at most.
create table firm_name_rules (
  version bigint not null
);
