package bills

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/tandem-pay/tandem/reconcile"
)

// partitions keep rows in files, a partition each, chosen by a hash of the
// row's key, so that all rows of a key are in one and a partition fits in
// memory. The files are in a folder of the caller's; Close removes them.
type partitions[T any] struct {
	files []partition
	buf   []byte
	put   func([]byte, *T) []byte
	get   func(*rowReader) T
}

type partition struct {
	file *os.File
	w    *bufio.Writer
	rows int64
}

// writeBuffer is the memory of one partition while rows are written, readBuffer
// that of the one that is read.
const (
	writeBuffer = 32 << 10
	readBuffer  = 256 << 10
)

func newPartitions[T any](dir, name string, n int, put func([]byte, *T) []byte, get func(*rowReader) T) (*partitions[T], error) {
	p := &partitions[T]{files: make([]partition, n), put: put, get: get}
	for i := range p.files {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%03d", name, i))) //nolint:gosec // dir is a new temporary directory
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.files[i].file, p.files[i].w = f, bufio.NewWriterSize(f, writeBuffer)
	}
	return p, nil
}

// add writes a row, with its length before it, to the partition of a key.
func (p *partitions[T]) add(key string, row *T) error {
	p.buf = p.put(p.buf[:0], row)
	var head [binary.MaxVarintLen64]byte
	f := &p.files[reconcile.Partition(key, len(p.files))]
	f.rows++
	if _, err := f.w.Write(head[:binary.PutUvarint(head[:], uint64(len(p.buf)))]); err != nil {
		return err
	}
	_, err := f.w.Write(p.buf)
	return err
}

// each reads a partition's rows in the order in which they were added. No row
// may be added to it after that.
func (p *partitions[T]) each(part int, f func(T) error) error {
	from := &p.files[part]
	if err := from.w.Flush(); err != nil {
		return err
	}
	if _, err := from.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(from.file, readBuffer)
	var row rowReader
	for range from.rows {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		row.b, row.at = slices.Grow(row.b[:0], int(n))[:n], 0
		if _, err := io.ReadFull(in, row.b); err != nil {
			return err
		}
		if err := f(p.get(&row)); err != nil {
			return err
		}
	}
	return nil
}

// read is all rows of a partition.
func (p *partitions[T]) read(part int) ([]T, error) {
	rows := make([]T, 0, p.files[part].rows)
	err := p.each(part, func(row T) error {
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// Close removes the files.
func (p *partitions[T]) Close() error {
	var errs []error
	for i := range p.files {
		if f := p.files[i].file; f != nil {
			errs = append(errs, f.Close(), os.Remove(f.Name()))
		}
	}
	return errors.Join(errs...)
}
