// Package ledgerbench measures how many two-sided postings a second the ledger keeps, in
// batches and one by one from many callers, with one account in all of them, beside plain
// SQL inserts of the same rows into the same tables.
//
//	go test -run '^$' -bench . -benchtime 1x -timeout 30m ./bench/ledger
//
// FURROW_BENCH_ENTRIES changes the number of entries (100,000), FURROW_BENCH_TURNS the
// turns of which the best counts (3), FURROW_TEST_POSTGRES adds PostgreSQL.
package ledgerbench
