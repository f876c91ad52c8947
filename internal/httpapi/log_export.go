package httpapi

import (
	"bufio"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

type exportInput struct {
	Caller
	LogConditions
	LogTimes
	Before account.Version `query:"before" doc:"Only entries of earlier versions; 0 or absent for all."`
	Format LogFormat       `query:"format" enum:"ndjson,csv" doc:"ndjson (the default): one entry a line; or csv: one change a line."`
}

func (s *server) registerExport() {
	answers := register(s, huma.Operation{
		OperationID: "exportJournal", Method: http.MethodGet, Path: exportPath, Tags: []string{tagJournal},
		Summary: "Export the log, as NDJSON or CSV",
		Description: aboutTheLog + " All that the filters select, oldest first, with all changes, up to the newest entry when it begins. The last line says that it is complete, " +
			"how many entries there are, and up to which version; without it the export was cut, and the connection was broken off.",
	}, s.export)
	answers["200"].Content = map[string]*huma.MediaType{
		NDJSON.mediaType(): {Schema: &huma.Schema{Type: huma.TypeString}}, CSV.mediaType(): {Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

func (s *server) export(ctx context.Context, req directory.Request, in *exportInput) (*huma.StreamResponse, error) {
	f := in.filter()
	f.Since, f.Until, f.After, f.Before = in.Since, in.Until, in.After, in.Before
	one := f
	one.Limit, one.MaxBytes = 1, 1
	_, release, err := s.firstPage(ctx, s.exports, req.Actor, one)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer release()
		r, w := humachi.Unwrap(ctx)
		r = unbounded(r)
		format := in.Format
		if format == "" {
			format = NDJSON
		}
		w.Header().Set("Content-Type", format.mediaType())
		w.Header().Set("Content-Disposition", `attachment; filename="journal.`+string(format)+`"`)
		if err := s.sendExport(r, s.patient(w), req, f, format); err != nil {
			if r.Context().Err() == nil {
				_ = s.problem(r.Context(), err) // logs it
			}
			panic(http.ErrAbortHandler) // breaks the connection off, so that nobody takes it for the end
		}
	}}, nil
}

func (s *server) sendExport(r *http.Request, out *patient, req directory.Request, f directory.LogFilter, format LogFormat) error {
	buffer := bufio.NewWriterSize(out, 64<<10)
	log := NewLogWriter(buffer, format)
	through, err := directory.WalkLog(f, func(f directory.LogFilter) (directory.LogPage, error) {
		select {
		case <-s.stopping:
			return directory.LogPage{}, errStopped
		default:
			if time.Now().After(out.until) {
				return directory.LogPage{}, errAged
			}
			return s.logPage(r, req.Actor, f)
		}
	}, func(e directory.LogEntry) error {
		if time.Now().After(out.until) { // a reader who takes it bit by bit
			return errAged
		}
		return log.Entry(e)
	})
	if err == nil {
		err = log.Complete(through)
	}
	if err == nil {
		err = buffer.Flush()
	}
	return err
}
