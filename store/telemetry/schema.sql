-- Readings of tags, in a SQLite file of their own: they come by the thousand a
-- second, and must not hold up the writer of everything else.
create table if not exists reading (
	tenant    text not null,
	tag       text not null,
	ts        bigint not null, -- device time, Unix milliseconds
	received  bigint not null,
	gateway   text,
	lon       real,
	lat       real,
	acc_m     real,
	temp_c    real,
	ambient_c real,
	activity  real,
	attached  boolean,
	battery_v real,
	seq       bigint,
	primary key (tenant, tag, ts)
) without rowid
