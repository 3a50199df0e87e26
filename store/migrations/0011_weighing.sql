-- What animals weighed. All weighings are kept, the implausible ones too: which are
-- used is judged when they are read.
create table weighing (
	tenant    text not null,
	animal_id text not null,
	at        bigint not null,
	method    text not null,
	grams     bigint not null check (grams > 0),
	primary key (tenant, animal_id, at, method),
	foreign key (tenant, animal_id) references animal (tenant, id)
);
