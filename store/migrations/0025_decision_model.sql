-- A model that a decision asked is kept once, under its hash, for replays: beside the
-- policy. models is a JSON object of names and hashes, or ''.
create table decision_models (
    hash   text primary key,
    source text not null
);
alter table decisions add column models text not null default '';
