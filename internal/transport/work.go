package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// work is one request under way on a connection. It is ours, and keeps the connection, while
// we have all that we need to answer it and its sender takes what is answered: a
// body that does not come and an answer that is not read are not our work.
type work struct {
	mu      sync.Mutex
	whole   bool          // its body is here to the end
	resting bool          // see Rest
	sending time.Time     // when the Write that is under way began; zero if there is none
	waited  time.Duration // how long the Writes before took
}

// patience is how long, in all, an answer may wait to be taken by its reader before it is not our work any more.
const patience = time.Second

// isOurs reports whether the request keeps its connection.
func (w *work) isOurs(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.whole || w.resting {
		return false
	}
	return w.sending.IsZero() || w.waited+now.Sub(w.sending) < patience
}

func (w *work) rest(resting bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resting = resting
}

// send runs what hands a part of the answer to the connection, and notes how long that takes.
func (w *work) send(write func() error) error {
	w.mu.Lock()
	w.sending = time.Now()
	w.mu.Unlock()
	err := write()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waited += time.Since(w.sending)
	w.sending = time.Time{}
	return err
}

type workKey struct{}

// Rest says that the request of ctx waits on purpose, as a refusal does that is held back, until resume is called.
// Meanwhile its connection gives way to others. Outside of Handler it does nothing.
func Rest(ctx context.Context) (resume func()) {
	w, ok := ctx.Value(workKey{}).(*work)
	if !ok {
		return func() {}
	}
	w.rest(true)
	return func() { w.rest(false) }
}

// Handler notes which connections have requests at work: see work. It covers both
// protocols: on HTTP/2 a body or an answer can wait for its stream while the connection itself does not.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		request := c.begin()
		defer c.end(request)
		r = r.WithContext(context.WithValue(r.Context(), workKey{}, request))
		if r.ContentLength == 0 { // -1 if it is not known
			c.arrived(request)
		} else {
			r.Body = &body{ReadCloser: r.Body, end: sync.OnceFunc(func() { c.arrived(request) })}
		}
		next.ServeHTTP(&answer{ResponseWriter: w, of: request}, r)
	})
}

// body is a request's body, which tells when it has been read to its end.
type body struct {
	io.ReadCloser
	end func()
}

// Read reads.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.end()
	}
	return n, err
}

// answer is a ResponseWriter that notes how long its reader lets it wait.
type answer struct {
	http.ResponseWriter
	of *work
}

// Write sends a part of the body.
func (a *answer) Write(p []byte) (n int, err error) {
	err = a.of.send(func() error {
		n, err = a.ResponseWriter.Write(p)
		return err
	})
	return n, err
}

// FlushError sends what was written.
func (a *answer) FlushError() error {
	return a.of.send(http.NewResponseController(a.ResponseWriter).Flush)
}

// Flush is FlushError for who does not ask.
func (a *answer) Flush() { _ = a.FlushError() } // the next Write tells

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
