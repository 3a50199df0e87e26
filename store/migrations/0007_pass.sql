-- Satellite scenes whose plots have been sent to be judged again.
create table scene_pass (
	tenant  text not null,
	item    text not null, -- id of the scene
	seen_at bigint not null,
	primary key (tenant, item)
);

-- Peers of a plot: those of its county with the same declared crop.
create index plot_peer on plot (tenant, region, crop, id);
