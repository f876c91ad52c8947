package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/authzed/spicedb/pkg/datastore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	sqlite3 "zombiezen.com/go/sqlite"
)

// What can be wrong with a database file, or with a write to it.
var (
	// ErrFull is a write that the disk does not take: it, or a limit of the file's size, is full,
	// or it fails. Nothing of the write is kept, and reads go on.
	ErrFull = errors.New("the disk does not take the write: it is full, or the file has reached its limit; nothing of the write is kept, and reads go on")
	// ErrCorrupt is a database file that is damaged. It is not touched.
	ErrCorrupt = errors.New("the database file is damaged; restore it from a backup")
	// ErrReadOnly is a write to a datastore that was opened for reading.
	ErrReadOnly = errors.New("the datastore is open for reading only")
	// ErrNewer is a database file that a newer version of this program has written.
	ErrNewer = errors.New("the database file was written by a newer version of this program")
	// ErrNoDatabase is a file that is not there, or that is not a datastore's.
	ErrNoDatabase = errors.New("there is no datastore in this file")
	// ErrExists is a file in the place of one that was to be made.
	ErrExists = errors.New("the file exists")
	// ErrForeign is a write by a program that does not keep to the datastore's lock.
	ErrForeign = errors.New("another program has written into the database file")
	// ErrClosed is the use of a datastore that is closed.
	ErrClosed = errors.New("the datastore is closed")
	// ErrRetry is a transaction that another one was in the way of, and that may succeed if it is
	// repeated. ReadWriteTx repeats it by itself.
	ErrRetry = errors.New("the database is busy")
)

// LockedError is the refusal to open a file that another process has open for writing.
type LockedError struct {
	Path string
	PID  int // of the process that holds it; 0 if unknown
}

// Error says who holds the file.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return e.Path + " is in use by another process"
	}
	return fmt.Sprintf("%s is in use by process %d", e.Path, e.PID)
}

// fullError lets SpiceDB's API answer with a code that tells a full disk from a defect.
type fullError struct{ cause error }

func (e *fullError) Error() string   { return ErrFull.Error() + ": " + e.cause.Error() }
func (e *fullError) Unwrap() []error { return []error{ErrFull, e.cause} }

// GRPCStatus is ResourceExhausted.
func (e *fullError) GRPCStatus() *status.Status {
	return status.New(codes.ResourceExhausted, e.Error())
}

// meaning translates SQLite's errors into those of this package, and leaves others as they are.
func meaning(err error) error {
	if err == nil {
		return nil
	}
	var kind error
	switch code := sqlite3.ErrCode(err); code.ToPrimary() {
	case sqlite3.ResultFull:
		return &fullError{cause: err}
	case sqlite3.ResultIOErr:
		// The file system may refuse to enlarge the file or its companions.
		if code == sqlite3.ResultIOErrWrite || code == sqlite3.ResultIOErrSHMSize {
			return &fullError{cause: err}
		}
		return err
	case sqlite3.ResultBusy, sqlite3.ResultLocked:
		kind = ErrRetry
	case sqlite3.ResultCorrupt:
		kind = ErrCorrupt
	case sqlite3.ResultNotADB:
		kind = ErrNoDatabase
	case sqlite3.ResultReadOnly:
		kind = ErrReadOnly
	case sqlite3.ResultInterrupt:
		kind = ErrClosed
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// over is why a context is over; nil if it is not.
func over(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return ended(ctx)
}

// ended is why a context is over, in the words of whoever ended it.
func ended(ctx context.Context) error { return context.Cause(ctx) }

// isNotRegistered tells that a counter is missing from other errors.
func isNotRegistered(err error) bool {
	_, ok := errors.AsType[datastore.CounterNotRegisteredError](err)
	return ok
}
