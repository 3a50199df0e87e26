package main

// commands is every tool, in the order of the help text.
var commands = []command{
	{"demo", "a whole bank with a made-up county on this machine", runDemo},
	{"serve", "the house: web faces, API, broker and jobs", runServe},
	{"worker", "background jobs only", runWorker},
	{"doctor", "what is installed, reachable and migrated, and what to do about the rest", runDoctor},
	{"scene index", "rasters and Sentinel products of a folder into a static STAC catalogue", runSceneIndex},
	{"scene search", "scenes of a STAC API into a static catalogue", runSceneSearch},
	{"plot import", "a land-register file into plots", runPlotImport},
	{"plot overlaps", "plots of different holders that share ground", runPlotOverlaps},
	{"plot suggest", "the boundary of the field at a place, from the images", runPlotSuggest},
	{"plot report", "the satellite report of each plot: crop, curve, hazards, worth", runPlotReport},
	{"series smooth", "Whittaker smoothing of series, with gaps and true spacing", runSeriesSmooth},
	{"hazard flood", "the water of a flood, pixel by pixel, from radar and light", runHazardFlood},
	{"crop train", "labelled series into a model that tells crops apart, with its record", runCropTrain},
	{"crop validate", "accuracy of a method on samples it has not seen, by random folds and by place", runCropValidate},
	{"crop predict", "the crop of every series of a table, or why there is none", runCropPredict},
	{"chain import", "files of a reference chain: counts in, out and refused, and why", runChainImport},
	{"party check", "credit codes: valid, suspicious or invalid, and why", runPartyCheck},
	{"ledger verify", "every balance rebuilt from the log and compared", runLedgerVerify},
	{"fence replay", "fixes of tags against a fence: entries and exits", runFenceReplay},
	{"track clean", "fixes of tags, each kept or flagged with the reason", runTrackClean},
	{"tag replay", "fixes of tags published again over MQTT", runTagReplay},
	{"zonal", "statistics of rasters over polygons", runZonal},
}
