-- Electronic receivables: what an anchor confirms to owe. The events are the truth; the
-- rest is what they leave behind, and can be made from them again. Parts and events do
-- not reference their receivable: they are written with it, and the check of each row of
-- a file of thousands against a table that was empty when it began took most of its time.
create table receivable (
	tenant      text not null,
	id          text not null,
	number      text not null,
	obligor_id  text not null references firm (id),
	creditor_id text not null references firm (id),
	batch       text not null,
	state       text not null,
	issued      text not null, -- '' before it is confirmed
	due         text not null, -- "2026-11-30"
	outstanding bigint not null,
	version     bigint not null,
	body        text not null, -- JSON: the state after event number version
	primary key (tenant, id)
);

create unique index receivable_number on receivable (tenant, number);

create index receivable_obligor on receivable (tenant, obligor_id, id);

create index receivable_due on receivable (tenant, due, id);

create index receivable_batch on receivable (tenant, batch, id);

-- Parts, for those who look for their own.
create table receivable_part (
	tenant        text not null,
	id            text not null,
	receivable_id text not null,
	number        text not null,
	holder_id     text not null references firm (id),
	hold          text not null, -- '' of a part that is free
	owed          bigint not null, -- to the funder
	remaining     bigint not null,
	paid          bigint not null,
	primary key (tenant, id),
	check (remaining >= 0 and paid >= 0 and paid <= remaining and owed >= 0)
);

create unique index receivable_part_number on receivable_part (tenant, number);

create index receivable_part_receivable on receivable_part (tenant, receivable_id);

create index receivable_part_holder on receivable_part (tenant, holder_id, receivable_id);

create table receivable_event (
	tenant        text not null,
	receivable_id text not null,
	seq           bigint not null,
	kind          text not null,
	at            bigint not null,
	user_id       text not null,
	firm_id       text not null, -- '' of the bank
	body          text not null, -- JSON
	hash          text not null,
	primary key (tenant, receivable_id, seq)
);

-- What a key has done.
create table receivable_request (
	tenant        text not null,
	idem_key      text not null,
	input_hash    text not null,
	receivable_id text not null,
	seq           bigint not null,
	primary key (tenant, idem_key)
);

-- How much of an invoice or confirmation receivables stand for.
create table receivable_support (
	tenant  text not null,
	doc_key text not null,
	used    bigint not null check (used >= 0),
	bears   bigint not null, -- in all, when it was last asked
	primary key (tenant, doc_key)
);

-- What an anchor owes over all its receivables, and may owe.
create table receivable_total (
	tenant      text not null,
	firm_id     text not null references firm (id),
	max_owed    bigint, -- null while no limit was set
	outstanding bigint not null check (outstanding >= 0),
	financed    bigint not null check (financed >= 0),
	primary key (tenant, firm_id)
);
