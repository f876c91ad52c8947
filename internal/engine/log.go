package engine

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"

	spicedb "github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
)

// withLog returns a context whose SpiceDB logger is log, from warnings up.
// SpiceDB's logger of the whole process is left alone, and silent.
func withLog(ctx context.Context, log *slog.Logger) context.Context {
	if log == nil {
		return ctx
	}
	return zerolog.New(bridge{ctx: ctx, log: log}).Level(zerolog.WarnLevel).WithContext(ctx)
}

// bridge writes the records of a zerolog logger to a slog logger.
type bridge struct {
	ctx context.Context //nolint:containedctx // zerolog's writer has no other way to get it
	log *slog.Logger
}

// Write is for records without a level.
func (b bridge) Write(record []byte) (int, error) { return b.WriteLevel(zerolog.WarnLevel, record) }

// WriteLevel writes one record, a JSON object.
func (b bridge) WriteLevel(level zerolog.Level, record []byte) (int, error) {
	at := slog.LevelWarn
	if level >= zerolog.ErrorLevel {
		at = slog.LevelError
	}
	var fields map[string]any
	if json.Unmarshal(record, &fields) != nil {
		fields = map[string]any{"record": string(record)}
	}
	text, _ := fields[zerolog.MessageFieldName].(string)
	delete(fields, zerolog.MessageFieldName)
	delete(fields, zerolog.LevelFieldName)
	attrs := make([]any, 0, 2*len(fields))
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		attrs = append(attrs, k, fields[k])
	}
	b.log.Log(b.ctx, at, "spicedb: "+text, attrs...)
	return len(record), nil
}

const logMiddleware = "tenantry-log"

// unaryLog hands the logger to the calls that SpiceDB serves.
func unaryLog(log *slog.Logger) spicedb.MiddlewareModification[grpc.UnaryServerInterceptor] {
	return before[grpc.UnaryServerInterceptor](func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return next(withLog(ctx, log), req)
	})
}

// streamLog is unaryLog for streams.
func streamLog(log *slog.Logger) spicedb.MiddlewareModification[grpc.StreamServerInterceptor] {
	return before[grpc.StreamServerInterceptor](func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return next(srv, logStream{ServerStream: stream, ctx: withLog(stream.Context(), log)})
	})
}

func before[T grpc.UnaryServerInterceptor | grpc.StreamServerInterceptor](interceptor T) spicedb.MiddlewareModification[T] {
	return spicedb.MiddlewareModification[T]{
		DependencyMiddlewareName: spicedb.DefaultMiddlewareRequestID,
		Operation:                spicedb.OperationPrepend,
		Middlewares:              []spicedb.ReferenceableMiddleware[T]{{Name: logMiddleware, Middleware: interceptor}},
	}
}

type logStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream carries its context
}

func (s logStream) Context() context.Context { return s.ctx }
