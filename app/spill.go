package app

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// spill keeps rows of a day in files, a file a partition, so that a day of
// any size is matched a part at a time. It lives in a folder of its own that
// Close takes away.
type spill struct {
	dir   string
	parts []spillPart
	buf   []byte
}

type spillPart struct {
	file *os.File
	w    *bufio.Writer
	rows int64
}

// spillBuffer is the memory of one partition while rows are written.
const spillBuffer = 32 << 10

func newSpill(dir, name string, parts int) (*spill, error) {
	s := &spill{dir: dir, parts: make([]spillPart, parts)}
	for i := range s.parts {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%03d", name, i)))
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.parts[i].file, s.parts[i].w = f, bufio.NewWriterSize(f, spillBuffer)
	}
	return s, nil
}

// add writes one row: what fill appends, with its length before it.
func (s *spill) add(part int, fill func([]byte) []byte) error {
	s.buf = fill(s.buf[:0])
	var head [binary.MaxVarintLen64]byte
	p := &s.parts[part]
	p.rows++
	if _, err := p.w.Write(head[:binary.PutUvarint(head[:], uint64(len(s.buf)))]); err != nil {
		return err
	}
	_, err := p.w.Write(s.buf)
	return err
}

// each reads the rows of one partition back. The row may not be kept.
func (s *spill) each(part int, f func(r *rowReader) error) error {
	p := &s.parts[part]
	if err := p.w.Flush(); err != nil {
		return err
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(p.file, 256<<10)
	var row rowReader
	for range p.rows {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		if cap(row.b) < int(n) {
			row.b = make([]byte, n)
		}
		row.b, row.at = row.b[:n], 0
		if _, err := io.ReadFull(in, row.b); err != nil {
			return err
		}
		if err := f(&row); err != nil {
			return err
		}
	}
	return nil
}

// Close takes the files away.
func (s *spill) Close() error {
	var errs []error
	for i := range s.parts {
		if f := s.parts[i].file; f != nil {
			errs = append(errs, f.Close(), os.Remove(f.Name()))
		}
	}
	return errors.Join(errs...)
}

// rowReader reads what the put functions wrote, in the same order.
type rowReader struct {
	b  []byte
	at int
}

func putText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func putInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// putTime keeps microseconds, as the stores do; a zero time stays zero.
func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return putInt(b, 0)
	}
	return putInt(b, t.UnixMicro())
}

func (r *rowReader) text() string {
	n, k := binary.Uvarint(r.b[r.at:])
	r.at += k + int(n)
	return string(r.b[r.at-int(n) : r.at])
}

func (r *rowReader) byte() byte {
	r.at++
	return r.b[r.at-1]
}

func (r *rowReader) int() int64 {
	v, k := binary.Varint(r.b[r.at:])
	r.at += k
	return v
}

func (r *rowReader) time() time.Time {
	us := r.int()
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
