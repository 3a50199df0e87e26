-- Finds, among millions of firms, the few that were found to be another.
create index firm_merged on firm (tenant, survivor_id) where survivor_id <> id;
