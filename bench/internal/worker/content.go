package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/internal/relation"
)

const (
	perMessage = 1000    // relationships in a message of an import
	perImport  = 100_000 // and in a call, which is one transaction
	perWrite   = 998     // updates in a call when a relay fills an engine
)

// WriteFile writes relationships for imports, one a line.
func WriteFile(path string, rels []relation.Relationship) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	for _, r := range rels {
		fmt.Fprintf(out, "%s %s %s %s %s %s %d\n", r.Resource.Type, r.Resource.ID, r.Relation,
			r.Subject.Type, r.Subject.ID, r.SubjectRelation, r.Expires)
	}
	return errors.Join(out.Flush(), f.Close())
}

// relationships calls fn with up to size relationships at a time of a file that WriteFile
// made: those that the request asks for. It returns how many that were.
func relationships(req wire.Request, size int, fn func([]*v1.Relationship) error) (int, error) {
	f, err := os.Open(req.File)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	var batch []*v1.Relationship
	for range req.Skip {
		lines.Scan()
	}
	read := 0
	for (req.Count == 0 || read < req.Count) && lines.Scan() {
		r, err := parse(lines.Text())
		if err != nil {
			return read, err
		}
		read++
		if batch = append(batch, r.Proto()); len(batch) == size {
			if err := fn(batch); err != nil {
				return read, err
			}
			batch = nil
		}
	}
	if err := lines.Err(); err != nil || len(batch) == 0 {
		return read, err
	}
	return read, fn(batch)
}

func parse(line string) (relation.Relationship, error) {
	f := strings.Split(line, " ")
	if len(f) != 7 {
		return relation.Relationship{}, fmt.Errorf("a line with %d fields", len(f))
	}
	expires, err := strconv.ParseInt(f[6], 10, 64)
	return relation.Relationship{
		Key: relation.Key{
			Resource: relation.Object{Type: f[0], ID: f[1]}, Relation: f[2],
			Subject: relation.Object{Type: f[3], ID: f[4]}, SubjectRelation: f[5],
		},
		Expires: expires,
	}, err
}

// bulk imports by ImportBulkRelationships, in several calls, each of which is one transaction.
func (w *Worker) bulk(ctx context.Context, r wire.Request) (wire.Answer, error) {
	var stream v1.PermissionsService_ImportBulkRelationshipsClient
	loaded, sent := 0, 0
	finish := func() error {
		answer, err := stream.CloseAndRecv()
		stream, sent = nil, 0
		loaded += int(answer.GetNumLoaded()) //nolint:gosec // some millions at most
		return err
	}
	read, err := relationships(r, perMessage, func(batch []*v1.Relationship) error {
		if stream == nil {
			var err error
			if stream, err = w.client.ImportBulkRelationships(ctx); err != nil {
				return err
			}
		}
		if err := stream.Send(&v1.ImportBulkRelationshipsRequest{Relationships: batch}); err != nil {
			if errors.Is(err, io.EOF) { // the server has ended the call, and says why
				return finish()
			}
			return err
		}
		if sent += len(batch); sent < perImport {
			return nil
		}
		return finish()
	})
	if err == nil && stream != nil {
		err = finish()
	}
	if err == nil && loaded != read {
		err = fmt.Errorf("%d of %d relationships were imported", loaded, read)
	}
	return wire.Answer{Count: loaded}, err
}

// fill writes by WriteRelationships as a relay does that finds an empty engine.
func (w *Worker) fill(ctx context.Context, r wire.Request) (wire.Answer, error) {
	written, err := relationships(r, perWrite, func(batch []*v1.Relationship) error {
		_, err := w.touch(ctx, batch...)
		return err
	})
	return wire.Answer{Count: written}, err
}

func (w *Worker) touch(ctx context.Context, rels ...*v1.Relationship) (*v1.ZedToken, error) {
	updates := make([]*v1.RelationshipUpdate, len(rels))
	for i, r := range rels {
		updates[i] = &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: r}
	}
	answer, err := w.client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: updates})
	return answer.GetWrittenAt(), err
}
