package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/fault"
)

// maxUpdates is the number of updates that SpiceDB accepts in one write call unless it is told otherwise.
const maxUpdates = 1000

// probeTimeout bounds a readiness probe whose caller sets no earlier deadline.
const probeTimeout = 5 * time.Second

// Engine is a connection to SpiceDB and, if embedded, the SpiceDB behind it. It is safe for concurrent use.
type Engine struct {
	conn       *grpc.ClientConn
	server     *server // nil if SpiceDB is elsewhere
	name       string
	durable    bool
	maxUpdates int

	closeOnce sync.Once
	closed    chan struct{}
	closeErr  error
}

// Conn is the connection to speak authzed.api.v1 on. Its errors are gRPC's; see [Fault].
// After Close it answers Canceled or Unavailable.
func (e *Engine) Conn() grpc.ClientConnInterface { return e.conn }

// Name identifies the content behind the connection, for whoever records how far it has
// been written: another name means that nothing written under this one is there.
// It is "remote" for a remote engine; for an embedded one it comes from the datastore
// and, in memory, is a new one with every start.
func (e *Engine) Name() string { return e.name }

// Durable reports whether what was written is there after a restart of this process.
func (e *Engine) Durable() bool { return e.durable }

// MaxUpdates is the greatest number of updates that one WriteRelationships call may carry.
func (e *Engine) MaxUpdates() int { return e.maxUpdates }

// Ready asks SpiceDB for its schema and returns nil if it answers, even if it has none yet.
// It takes at most five seconds. Errors are as of [Fault].
func (e *Engine) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	_, err := v1.NewSchemaServiceClient(e.conn).ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if status.Code(err) == codes.NotFound {
		return nil
	}
	return Fault(err)
}

// Run waits until ctx ends, then closes the engine and returns what Close does. It returns
// nil as soon as somebody else has closed the engine, and an Internal fault (engine_stopped)
// if an embedded SpiceDB stops without having been asked to.
func (e *Engine) Run(ctx context.Context) error {
	var ended <-chan struct{} // blocks for ever if SpiceDB is elsewhere
	if e.server != nil {
		ended = e.server.ended
	}
	select {
	case <-ctx.Done():
		return e.Close()
	case <-e.closed:
		return nil
	case <-ended:
	}
	select {
	case <-e.server.asked: // Close has begun, and is not our news
		return e.Close()
	default:
	}
	stopped := fault.New(fault.Internal, CodeStopped, "the embedded SpiceDB has stopped unexpectedly").Because(e.server.err)
	return errors.Join(stopped, e.Close())
}

// Close ends the engine: an embedded SpiceDB gets [EmbeddedConfig.Grace] to finish the calls
// that are under way, and what is still open then is cut off. It may be called more than
// once, and returns when all is done or, with an Internal fault (engine_stopped), when that takes too long.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		defer close(e.closed)
		var serverErr error
		if e.server != nil {
			serverErr = e.server.close()
		}
		e.closeErr = errors.Join(serverErr, e.conn.Close())
	})
	<-e.closed
	return e.closeErr
}
