// Package chainbench measures the graph of the chain beside a plain C++ program,
// igraph and SuiteSparse GraphBLAS, in one run on one machine: `make bench-chain`.
//
// Every engine reads the same file of links in a process of its own, builds the graph
// in both directions, and answers the same questions; the engines take turns and the
// best turn of each counts, question by question. What counts is processor time (user
// and system, all threads), which bears a busy machine better than the clock; the targets
// compare one processor with one, and a column of its own has Furrow on all of them. The
// answers must be equal: the reach of the anchors, the components, the largest of
// them, and every PageRank against igraph's. The frame prints one table at the end; a
// target that is missed fails the run.
//
// FURROW_BENCH_SIZES chooses among "2M" (2 million firms, 6 million links) and "21M"
// (21 and 60 million); without it the large one runs where 16 GiB of memory are free.
// FURROW_BENCH_ENGINES chooses engines, FURROW_BENCH_TURNS says how often.
package chainbench
