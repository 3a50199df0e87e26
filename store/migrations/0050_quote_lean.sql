-- A quote is asked for by its id, never by its snapshot; the index cost a page of writing each.
drop index quote_list;
