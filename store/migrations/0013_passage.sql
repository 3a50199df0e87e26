-- Finds what befell any animal of a tenant in a few days.
create index life_event_kind on life_event (tenant, kind, at);
