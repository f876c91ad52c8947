package sqlite

import (
	"context"
	"fmt"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
)

const (
	// bulkChunk is how many relationships are handed from the reader of a bulk load to its writer.
	bulkChunk = 500
	// bulkAhead is how many chunks may wait for the writer.
	bulkAhead = 4
)

// loaded is a relationship of a bulk load, as it will be written.
type loaded struct {
	reference tuple.RelationshipReference
	content   content
}

// BulkLoad creates relationships from a source, and returns how many. One that is there is a
// CreateRelationshipExistsError. While some are written the next are read, for SpiceDB checks each
// one that it hands over, which takes as long.
func (tx *transaction) BulkLoad(ctx context.Context, source datastore.BulkWriteRelationshipSource) (uint64, error) {
	chunks := make(chan []loaded, bulkAhead)
	stop := make(chan struct{})
	read := make(chan error, 1)
	go func() {
		defer close(chunks)
		var err error
		if p := caught(func() { err = readSource(ctx, source, chunks, stop) }); p != nil {
			err = fmt.Errorf("the source of the bulk load panicked: %v", p)
		}
		read <- err
	}()
	var n uint64
	err := tx.do(ctx, func() error {
		for chunk := range chunks {
			for _, r := range chunk {
				if err := tx.create(r.reference, r.content); err != nil {
					return err
				}
			}
			n += uint64(len(chunk))
		}
		return nil
	})
	close(stop)
	// The source is the caller's again when this returns; so the reading must have ended.
	for range chunks {
	}
	if reading := <-read; err == nil {
		err = reading
	}
	return n, err
}

// readSource reads a source into chunks, until its end or stop.
func readSource(ctx context.Context, source datastore.BulkWriteRelationshipSource, chunks chan<- []loaded, stop <-chan struct{}) error {
	for {
		chunk, more, err := readChunk(ctx, source)
		if len(chunk) > 0 {
			select {
			case chunks <- chunk:
			case <-stop:
				return nil
			}
		}
		if err != nil || !more {
			return err
		}
	}
}

func readChunk(ctx context.Context, source datastore.BulkWriteRelationshipSource) ([]loaded, bool, error) {
	chunk := make([]loaded, 0, bulkChunk)
	for len(chunk) < bulkChunk {
		r, err := source.Next(ctx) // may be the same memory each time
		if err != nil || r == nil {
			return chunk, false, err
		}
		c, err := contentOf(*r)
		if err != nil {
			return chunk, false, err
		}
		chunk = append(chunk, loaded{r.RelationshipReference, c})
	}
	return chunk, true, nil
}
