-- Chunks of readings, compacted from the log. tag.id numbers the series; a chunk's id
-- is day * 2^46 + tag * 2^16 + seq, so that the readings of one day lie together, and
-- within the day those of one tag. Of chunks of one tag and day, the greater seq was
-- written later.
create table if not exists tag (
  id     integer primary key,
  tenant text not null,
  name   text not null,
  first  bigint not null, -- days since 1970 that have chunks
  last   bigint not null
);
create table if not exists chunk (
  id   integer primary key,
  n    bigint not null,
  body blob not null
);
