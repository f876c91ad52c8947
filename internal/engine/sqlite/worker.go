package sqlite

// worker is a goroutine that stays. SQLite's code needs deep stacks, and SpiceDB asks each part of
// a question from a new goroutine, whose small stack would have to grow, by copying, for one query:
// that took a fifth of a check. A worker's stack has grown once and for all.
type worker struct {
	asked chan func()
	done  chan any // what a function has panicked with, or nil
}

func newWorker() *worker {
	w := &worker{asked: make(chan func()), done: make(chan any)}
	go func() {
		for fn := range w.asked {
			w.done <- caught(fn)
		}
	}()
	return w
}

// do runs fn on the worker. If it panics, so does the caller.
func (w *worker) do(fn func()) {
	w.asked <- fn
	if p := <-w.done; p != nil {
		panic(p)
	}
}

// end ends the worker.
func (w *worker) end() { close(w.asked) }

func caught(fn func()) (p any) {
	defer func() { p = recover() }()
	fn()
	return nil
}
