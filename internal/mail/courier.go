package mail

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/fault"
)

// CourierConfig says how a Courier works. The zero value will do.
type CourierConfig struct {
	Log      *slog.Logger          // slog.Default() if nil; it gets no addresses, links or passwords
	Registry prometheus.Registerer // for the metrics; none if nil
	Now      func() time.Time      // time.Now if nil; should be the queue's clock

	Every   time.Duration // between looks into the queue; 10 s if 0
	Workers int           // letters under way at once; 4 if 0
	Grace   time.Duration // for letters under way when Run is to end; 10 s if 0
}

// Courier sends what a queue holds. Several may work on one queue, in one process or in many.
type Courier struct {
	queue  Queue
	sender *Sender
	cfg    CourierConfig
	lease  time.Duration
	wake   chan struct{}
	m      *metrics
}

// NewCourier returns a courier at rest; see Run.
func NewCourier(queue Queue, sender *Sender, cfg CourierConfig) *Courier {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Every = cmp.Or(cfg.Every, 10*time.Second)
	cfg.Workers = cmp.Or(cfg.Workers, 4)
	cfg.Grace = cmp.Or(cfg.Grace, 10*time.Second)
	return &Courier{
		queue: queue, sender: sender, cfg: cfg,
		lease: askTime + sender.cfg.SendTimeout + recordTime + leaseMargin,
		wake:  make(chan struct{}, 1), m: newMetrics(cfg.Registry),
	}
}

// The parts of a lease, beside the sending itself.
const (
	askTime     = 30 * time.Second // for the queue to make a letter
	recordTime  = 10 * time.Second // to tell the queue what became of it
	leaseMargin = time.Minute      // for the time between the claim and its answer, and for clocks that differ
)

// Wake makes the courier look into the queue at once. It never waits.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run works until ctx ends. Letters under way then are finished or, when the
// grace is over, broken off and given back to the queue, before Run returns.
func (c *Courier) Run(ctx context.Context) {
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(c.cfg.Grace, cut) })()
	var under sync.WaitGroup
	defer under.Wait()
	free := make(chan struct{}, c.cfg.Workers) // holds one for each worker at rest
	for range c.cfg.Workers {
		free <- struct{}{}
	}
	tick := time.NewTicker(c.cfg.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		n := take(ctx, free)
		jobs := c.claim(work, n)
		for _, job := range jobs {
			under.Go(func() {
				c.deliver(work, job)
				free <- struct{}{}
			})
		}
		for range n - len(jobs) {
			free <- struct{}{}
		}
		if len(jobs) < n { // otherwise there may be more
			c.rest(ctx, tick.C)
		}
	}
}

// take takes all that are free, waiting for one. It returns how many; 0 if ctx ends before.
func take(ctx context.Context, free <-chan struct{}) int {
	select {
	case <-free:
	case <-ctx.Done():
		return 0
	}
	n := 1
	for {
		select {
		case <-free:
			n++
		default:
			return n
		}
	}
}

// claim takes up to n jobs from the queue. It is not broken off when Run is to
// end: a job that is claimed and not known would wait for its lease.
func (c *Courier) claim(work context.Context, n int) []Job {
	if n == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(work, askTime)
	defer cancel()
	jobs, err := c.queue.Due(ctx, n, c.lease)
	if err != nil {
		c.cfg.Log.WarnContext(ctx, "the queue of mail does not answer; trying again", "error", err)
		return nil
	}
	return jobs[:min(n, len(jobs))]
}

// rest waits until it is time to look into the queue again, or ctx ends.
func (c *Courier) rest(ctx context.Context, tick <-chan time.Time) {
	if n, err := c.queue.Waiting(ctx); err == nil { // otherwise the next claim complains
		c.m.waiting.Set(float64(n))
	}
	select {
	case <-c.wake:
	case <-tick:
	case <-ctx.Done():
	}
}

// deliver sends the letter of a job, and tells the queue what became of it.
func (c *Courier) deliver(work context.Context, job Job) {
	log := c.cfg.Log.With("environment", job.Environment, "job", job.ID, "attempt", job.Attempt)
	if job.Attempt > maxAttempts { // its last attempts ended the process
		c.failed(work, log, job, fault.New(fault.Internal, "internal", "the letter was tried too often"))
		return
	}
	letter, ok, err := c.letter(work, job)
	if err == nil && !ok {
		log.DebugContext(work, "a letter is not needed any more")
		return
	}
	if err == nil {
		err = c.sender.Send(work, letter)
	}
	if err == nil {
		c.m.sent.Inc()
		log.InfoContext(work, "a letter was sent")
		c.record(work, log, func(ctx context.Context) error { return c.queue.Sent(ctx, job) })
		return
	}
	c.failed(work, log.With("code", fault.From(err).Code), job, err)
}

// failed tells the queue what becomes of a job whose letter was not sent.
func (c *Courier) failed(work context.Context, log *slog.Logger, job Job, err error) {
	cause := fault.From(err).Text
	switch {
	case work.Err() != nil:
		log.InfoContext(work, "a letter was broken off, since Tenantry stops; it is sent again", "error", err)
		c.record(work, log, func(ctx context.Context) error { return c.queue.Failed(ctx, job, cause, c.cfg.Now()) })
	case Permanent(err) || job.Attempt >= maxAttempts:
		c.m.givenUp.Inc()
		log.ErrorContext(work, "a letter is given up", "error", err)
		c.record(work, log, func(ctx context.Context) error { return c.queue.GiveUp(ctx, job, cause) })
	default:
		c.m.failed.Inc()
		again := c.cfg.Now().Add(pause(job.Attempt, rand.Float64())) //nolint:gosec // spreads attempts; nobody gains by guessing
		log.WarnContext(work, "a letter was not sent; it is tried again", "again", again, "error", err)
		c.record(work, log, func(ctx context.Context) error { return c.queue.Failed(ctx, job, cause, again) })
	}
}

func (c *Courier) letter(work context.Context, job Job) (Letter, bool, error) {
	ctx, cancel := context.WithTimeout(work, askTime)
	defer cancel()
	return c.queue.Letter(ctx, job)
}

// record tells the queue what became of a job, also while Run ends, and insists
// for a while: what is not recorded is sent again when the lease is over.
func (c *Courier) record(work context.Context, log *slog.Logger, tell func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(work), recordTime)
	defer cancel()
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, tell(ctx) },
		backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 50 * time.Millisecond, Multiplier: 2, MaxInterval: 2 * time.Second}))
	if err != nil {
		log.ErrorContext(ctx, "the queue of mail cannot be told what became of a letter; it is sent again when its lease is over", "error", err)
	}
}
