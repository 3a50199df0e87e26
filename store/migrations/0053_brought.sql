-- Keys of who brings applications for others are kept apart, so that nobody finds what another brought.
update applications set idem_key = brought_by || ':' || idem_key where channel in ('api', 'portal') and brought_by <> '';
