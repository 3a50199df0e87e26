// Package creditbench measures a decision beside other engines that work out the same
// rules: an adjustment of a limit by three tables, a sum and a table of eleven rows, the
// facts of the public credit-limit-adjustment example of ZEN. Everyone must make 6,500
// yuan out of 5,000. A decision of the house itself, with its evidence laid out, a score
// asked and every reason told, stands beside.
//
//	make bench-credit
package creditbench
