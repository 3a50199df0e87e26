// Package iotbench measures the way of a reading from the tag to the disk beside its
// peers, in one run on one machine: `make bench-iot`.
//
// A fleet of its own process publishes the same messages to every pipeline; the
// pipelines take turns and the best turn of each counts. What counts is processor
// time (user and system, all threads, from /proc) of consumer, broker and database
// for a million readings, which bears a busy machine better than the clock. After
// each turn the database is asked: every acknowledged message must be stored, once.
// The frame prints one table at the end; a target that is missed fails the run.
package iotbench
