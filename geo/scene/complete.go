package scene

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/airbusgeo/godal"
)

// Complete checks that what a file promises lies within it: a file cut short often
// opens well and fails only when its last rows are read. It looks at the blocks of
// TIFFs and at the boxes of JPEG 2000 files; files of virtual file systems, layers of
// containers and other formats pass. The error is [ErrUnreadable] with the file's name.
func (r *Raster) Complete() error {
	if strings.HasPrefix(r.Path, "/vsi") || layered.MatchString(r.Path) {
		return nil
	}
	info, err := os.Stat(r.Path)
	if err != nil {
		return ErrUnreadable.At("%s", r.Path).Because(err)
	}
	if isJP2(r.Path) {
		if err := jp2Complete(r.Path, info.Size()); err != nil {
			return ErrUnreadable.At("%s", r.Path).Because(err)
		}
		return nil
	}
	for _, b := range r.bands {
		nx, ny := b.Structure().BlockCount()
		for y := range ny {
			for x := range nx {
				at := strconv.Itoa(x) + "_" + strconv.Itoa(y)
				offset, err := strconv.ParseInt(b.Metadata("BLOCK_OFFSET_"+at, godal.Domain("TIFF")), 10, 64)
				if err != nil {
					continue // a sparse block, or no TIFF
				}
				size, err := strconv.ParseInt(b.Metadata("BLOCK_SIZE_"+at, godal.Domain("TIFF")), 10, 64)
				if err != nil {
					continue
				}
				if offset+size > info.Size() {
					return ErrUnreadable.At("%s", r.Path).Because(fmt.Errorf("block %d,%d ends at byte %d, the file at %d", x, y, offset+size, info.Size()))
				}
			}
		}
		if r.ds.Metadata("INTERLEAVE", godal.Domain("IMAGE_STRUCTURE")) == "PIXEL" {
			break // the bands share their blocks
		}
	}
	return nil
}

// jp2Complete follows the boxes of a JPEG 2000 file (ISO/IEC 15444-1 annex I) to
// its end; its codestream must close with the marker EOC (annex A).
func jp2Complete(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var at int64
	codestream := false
	for at < size {
		var head [16]byte
		n, err := f.ReadAt(head[:], at)
		if n < 8 {
			return fmt.Errorf("it ends at byte %d, within a box: %w", size, err)
		}
		if at == 0 && binary.BigEndian.Uint32(head[:]) == 0xFF4FFF51 {
			return closed(f, size) // a bare codestream
		}
		length, kind := int64(binary.BigEndian.Uint32(head[:4])), string(head[4:8])
		switch length {
		case 0:
			length = size - at
		case 1:
			if n < 16 {
				return fmt.Errorf("it ends at byte %d, within a box", size)
			}
			length = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if length < 8 || length > size-at {
			return fmt.Errorf("box %q needs %d bytes from %d, the file ends at %d", kind, length, at, size)
		}
		at += length
		if kind == "jp2c" {
			codestream = true
			if err := closed(f, at); err != nil {
				return err
			}
		}
	}
	if !codestream {
		return errors.New("it holds no image")
	}
	return nil
}

// closed checks the marker before the end of a codestream.
func closed(f io.ReaderAt, end int64) error {
	var eoc [2]byte
	if _, err := f.ReadAt(eoc[:], end-2); err != nil || eoc != [2]byte{0xFF, 0xD9} {
		return errors.New("its image is cut short")
	}
	return nil
}

// Subdatasets lists the layers of a container such as HDF by the names under which
// [OpenRaster] opens them; none for a file that is itself an image.
func Subdatasets(path string) ([]string, error) {
	ds, err := OpenDataset(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = ds.Close() }()
	about := ds.Metadatas(godal.Domain("SUBDATASETS"))
	var out []string
	for i := 1; ; i++ {
		name, ok := about["SUBDATASET_"+strconv.Itoa(i)+"_NAME"]
		if !ok {
			return out, nil
		}
		out = append(out, name)
	}
}

// layered says whether a name means a layer of a container: HDF4_EOS:EOS_GRID:"file":...
var layered = regexp.MustCompile(`^[A-Z][A-Z0-9_]+:.*"`)
