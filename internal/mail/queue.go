package mail

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Job is a letter that is to be sent. It holds no address and no link: the letter
// is made when it is sent, since the secret of a link is kept only as a hash.
type Job struct {
	Environment account.EnvironmentID
	ID          string // unique in the deployment
	Attempt     int    // how often it has been claimed, this time included: 1 at the first
}

// Queue holds the jobs. Its methods may be called from several goroutines and by several replicas at once.
type Queue interface {
	// Due claims up to n jobs that are due, so that nobody else takes them until
	// the lease ends. A claim counts as an attempt, also if its process dies.
	Due(ctx context.Context, n int, lease time.Duration) ([]Job, error)

	// Letter makes the letter of a job, with a fresh link. If there is nothing to
	// send any more (withdrawn, accepted, expired), ok is false and the job is
	// gone from the queue: the courier forgets it.
	Letter(ctx context.Context, job Job) (l Letter, ok bool, err error)

	// Sent notes that the mail server has taken the letter. The job is done.
	Sent(ctx context.Context, job Job) error

	// Failed notes a failure and frees the job, to be due again at the given time.
	// The cause is a sentence for people; it holds no address, link or password.
	Failed(ctx context.Context, job Job, cause string, again time.Time) error

	// GiveUp notes the last failure; the job is never due again. The cause is as in Failed.
	GiveUp(ctx context.Context, job Job, cause string) error

	// Waiting returns how many jobs are neither done nor given up, for the metrics.
	Waiting(ctx context.Context) (int, error)
}
