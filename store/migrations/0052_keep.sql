-- Finds what is older than it is to be kept.
create index quarantine_received on quarantine (received_at);
create index headcount_to on headcount (to_at);
