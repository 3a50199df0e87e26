// Package geobench measures the satellite part beside its peers and beside what
// the machine can do at all, in one run on one machine: `make bench-geo`.
//
// Every benchmark computes something, checks that the result is right, and hands
// [line] to the frame: our rate, the rate of the peer or limit, and the least
// ratio that is promised. The frame prints one table at the end; a ratio below its
// promise fails the run. Rates are per second of processor time (user and system,
// all threads), which bears a busy machine better than the clock; ours and the
// peer's runs take turns and the best of each counts.
//
// To add a benchmark, write <topic>_test.go with a func Benchmark<Topic>. Use
// [best] for work inside the process, [command] for programs, [child] where start
// and memory of an own process count (register its function in children). Peers
// that are not installed are left out with a line that says so; `scripts/install
// bench` installs those that Debian has. Peers that cannot be run at all are
// compared by their published rate, named as such.
package geobench
