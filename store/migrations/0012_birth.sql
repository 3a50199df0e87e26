-- The last births of Sparkplug edge nodes and of the devices behind them: what their
-- metrics are called and which alias stands for which.
create table sparkplug_birth (
	tenant   text not null,
	grp      text not null,
	edge     text not null,
	device   text not null, -- '' of the edge node itself
	bd_seq   bigint,        -- of the edge node's connection
	received bigint not null,
	metrics  text not null, -- JSON: [{"name": ..., "alias": ..., "type": ...}]
	primary key (tenant, grp, edge, device)
);
