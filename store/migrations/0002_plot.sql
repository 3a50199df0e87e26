-- Plots with their bounding boxes, and every report made of them.
create table plot (
	tenant     text not null,
	id         text not null,
	owner_id   text not null,
	owner_name text not null,
	name       text not null,
	region     text not null,
	polygon    text not null, -- coordinates of a GeoJSON polygon, WGS84
	west       double precision not null,
	south      double precision not null,
	east       double precision not null,
	north      double precision not null,
	area_m2    double precision not null,
	crop       text not null,
	source_crs text not null,
	source     text not null,
	created_at bigint not null,
	report     text, -- JSON of the newest report, null before the first
	report_at  bigint, -- when that one was made
	primary key (tenant, id)
);

create index plot_owner on plot (tenant, owner_id, id);
create index plot_west on plot (tenant, west);

create table plot_report (
	tenant  text not null,
	id      text not null,
	plot_id text not null,
	made_at bigint not null,
	report  text not null, -- JSON of geo.CropReport
	primary key (tenant, id),
	foreign key (tenant, plot_id) references plot (tenant, id)
);

create index plot_report_plot on plot_report (tenant, plot_id, made_at);
