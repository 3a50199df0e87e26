// Package dashboard embeds the built web faces. `make web` builds them into
// dist/<face>; without that the folder holds only its README and the binary
// answers that the faces are not built.
package dashboard

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Faces returns the built faces: officer/, farmer/ and anchor/.
func Faces() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: Sub fails on nothing else
	}
	return sub
}
