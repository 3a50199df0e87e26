// Package uploadbench measures how long a million rows take from a file into the books,
// beside a program that reads the CSV and inserts the rows without looking at them.
//
//	go test -run '^$' -bench . -benchtime 1x -timeout 30m ./bench/upload
//
// FURROW_BENCH_ROWS changes the number of rows, FURROW_TEST_POSTGRES adds PostgreSQL.
package uploadbench
