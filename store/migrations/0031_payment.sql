-- Payment orders: each is written here before the bank hears of it, and stays until its
-- outcome is known and told. Purchases of directed money, the sellers who may be paid, and
-- what the bank's statements say of a day.
create table pay_order (
	id         text not null primary key,
	tenant     text not null,
	direction  text not null,
	amount     bigint not null check (amount > 0),
	outcome    text not null,
	told       boolean not null, -- those who gave the order know its outcome
	next_at    bigint not null, -- when it is looked at again
	settled_on text not null, -- bank date, '' while it is not settled
	body       text not null -- JSON
);

create index pay_order_due on pay_order (told, next_at);

create index pay_order_day on pay_order (tenant, settled_on, id);

create index pay_order_outcome on pay_order (tenant, outcome, id);

create table pay_note (
	order_id text not null,
	seq      bigint not null,
	body     text not null, -- JSON
	primary key (order_id, seq)
);

-- What callers of the bank have signed already; older ones are refused by their time.
create table pay_nonce (
	nonce text not null primary key,
	at    bigint not null
);

create table pay_statement (
	tenant  text not null,
	day     text not null, -- "2026-11-30"
	open    bigint not null, -- differences that wait for a person
	version bigint not null,
	body    text not null, -- JSON: the report
	primary key (tenant, day)
);

create table purchase_seller (
	tenant  text not null,
	id      text not null,
	firm_id text not null,
	state   text not null,
	version bigint not null,
	body    text not null, -- JSON
	primary key (tenant, id)
);

create unique index purchase_seller_firm on purchase_seller (tenant, firm_id);

create table purchase_order (
	tenant         text not null,
	id             text not null,
	application_id text not null,
	user_id        text not null,
	seller_id      text not null,
	firm_id        text not null,
	state          text not null,
	amount         bigint not null check (amount > 0),
	loan_id        text not null, -- '' before it is drawn
	expires_at     bigint not null,
	idem_key       text not null,
	key_hash       text not null,
	version        bigint not null,
	body           text not null, -- JSON
	primary key (tenant, id)
);

create unique index purchase_order_key on purchase_order (tenant, idem_key);

create index purchase_order_application on purchase_order (tenant, application_id, id);

create index purchase_order_user on purchase_order (tenant, user_id, id);

create index purchase_order_firm on purchase_order (tenant, firm_id, id);

create index purchase_order_loan on purchase_order (tenant, loan_id, id);

create index purchase_order_state on purchase_order (state, expires_at);

create table purchase_event (
	tenant   text not null,
	order_id text not null,
	seq      bigint not null,
	body     text not null, -- JSON
	primary key (tenant, order_id, seq)
);
