package main

import (
	"flag"
	"os"
	"path/filepath"
)

// booksFlags adds the flags that name the database of a house; call what it returns
// after parsing for its DSN.
func booksFlags(f *flag.FlagSet) func() string {
	dsn := f.String("db", os.Getenv("FURROW_DB"), "sqlite:FILE or postgres://... (FURROW_DB); default DATA/furrow.db")
	data := f.String("data", env("FURROW_DATA_DIR", "data"), "folder of the embedded database")
	return func() string {
		if *dsn != "" {
			return *dsn
		}
		return "sqlite:" + filepath.Join(*data, "furrow.db")
	}
}
