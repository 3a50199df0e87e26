-- The area that the holder or the register states, and a grid cell by which plots
-- are found where they lie: the cell of the south-west corner on the finest of the
-- grids whose cells are as wide and high as the plot's box, see store/plot/cell.go.
alter table plot add column claimed_m2 double precision not null default 0;

alter table plot add column cell bigint not null default 0;

update plot set cell = case
	when east - west <= 1.0 / 512 and north - south <= 1.0 / 512 then 0 * 1099511627776 + cast(floor((south + 90) * 512) as bigint) * 1048576 + cast(floor((west + 180) * 512) as bigint)
	when east - west <= 1.0 / 256 and north - south <= 1.0 / 256 then 1 * 1099511627776 + cast(floor((south + 90) * 256) as bigint) * 1048576 + cast(floor((west + 180) * 256) as bigint)
	when east - west <= 1.0 / 128 and north - south <= 1.0 / 128 then 2 * 1099511627776 + cast(floor((south + 90) * 128) as bigint) * 1048576 + cast(floor((west + 180) * 128) as bigint)
	when east - west <= 1.0 / 64 and north - south <= 1.0 / 64 then 3 * 1099511627776 + cast(floor((south + 90) * 64) as bigint) * 1048576 + cast(floor((west + 180) * 64) as bigint)
	when east - west <= 1.0 / 32 and north - south <= 1.0 / 32 then 4 * 1099511627776 + cast(floor((south + 90) * 32) as bigint) * 1048576 + cast(floor((west + 180) * 32) as bigint)
	when east - west <= 1.0 / 16 and north - south <= 1.0 / 16 then 5 * 1099511627776 + cast(floor((south + 90) * 16) as bigint) * 1048576 + cast(floor((west + 180) * 16) as bigint)
	when east - west <= 1.0 / 8 and north - south <= 1.0 / 8 then 6 * 1099511627776 + cast(floor((south + 90) * 8) as bigint) * 1048576 + cast(floor((west + 180) * 8) as bigint)
	else 7 * 1099511627776
end;

create index plot_cell on plot (tenant, cell);

-- The key under which a holder sent a plot, so that a retry finds it.
alter table plot add column add_key text;

alter table plot add column add_hash text;

create unique index plot_add_key on plot (tenant, owner_id, add_key);

drop index plot_west;
