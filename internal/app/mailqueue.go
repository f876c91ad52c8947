package app

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/store"
)

// mailQueue returns the queue of letters: those of invitations, in the directory's database.
func (a *App) mailQueue() mail.Queue { return letters{a.Store, a.Directory} }

// letters is the directory's queue as the courier takes it.
type letters struct {
	store     *store.DB
	directory *directory.Directory
}

var _ mail.Queue = letters{}

func (l letters) Due(ctx context.Context, n int, lease time.Duration) ([]mail.Job, error) {
	due, err := l.store.DueLetters(ctx, n, lease)
	jobs := make([]mail.Job, len(due))
	for i, job := range due {
		jobs[i] = mail.Job(job)
	}
	return jobs, err
}

func (l letters) Letter(ctx context.Context, job mail.Job) (mail.Letter, bool, error) {
	w, ok, err := l.directory.WriteLetter(ctx, directory.LetterJob(job))
	return mail.Letter{
		Kind: mail.Invitation, To: w.Invitation.Email, ToName: w.Invitation.Name, Environment: w.Environment,
		AccountName: w.AccountName, InviterName: w.InviterName, Link: w.Link, ExpiresAt: w.Invitation.ExpiresAt,
	}, ok, err
}

func (l letters) Sent(ctx context.Context, job mail.Job) error {
	return l.store.LetterSent(ctx, directory.LetterJob(job))
}

func (l letters) Failed(ctx context.Context, job mail.Job, cause string, again time.Time) error {
	return l.store.LetterFailed(ctx, directory.LetterJob(job), cause, again)
}

func (l letters) GiveUp(ctx context.Context, job mail.Job, cause string) error {
	return l.store.LetterGivenUp(ctx, directory.LetterJob(job), cause)
}

func (l letters) Waiting(ctx context.Context) (int, error) { return l.store.LettersWaiting(ctx) }
