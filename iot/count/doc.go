// Package count estimates how many animals stand behind a herd's tags from what
// cameras, gates and people counted.
//
// A count is never taken for the truth. Each device has a recall (the share of the
// animals that a count of it shows) and a rate of double counts, both with a prior
// and learnt where somebody else counted the same pen at the same time. The result
// is a posterior over the number of animals, and its interval. Tags do not argue for
// themselves: the tags heard enter only where a count says how many of the animals
// it saw wore one (capture and recapture). docs/formats/count.md has the formulas.
package count
