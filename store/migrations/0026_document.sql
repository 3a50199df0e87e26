-- Nobody asks for documents by their day, and an index by it is written in random order:
-- documents come in the order of their pairs.
drop index trade_document_day;
