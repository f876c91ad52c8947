package identity

import (
	"crypto/sha256"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/memo"
)

// Marking tells whether what credentials are read from has changed; store.DB does.
type Marking interface {
	// Mark names the state of the database as it is when it is called; 0 if there is no telling.
	Mark() memo.Mark
}

// maxAccepted is how many credentials of a kind are remembered at most.
const maxAccepted = 1 << 12

// proof is a credential that was shown with its secret, which is here as the hash that the database has. A credential
// is remembered under its proof alone: who has not the secret has it read anew and so learns, by
// the time that an answer takes, nothing about which credentials there are.
type proof struct {
	env  account.EnvironmentID
	id   string
	hash [sha256.Size]byte
}

func proofOf[ID ~string](env account.EnvironmentID, id ID, secret directory.Secret) proof {
	return proof{env, string(id), [sha256.Size]byte(directory.HashSecret(secret))}
}

// accepted is what was read about credentials that were good.
type accepted struct {
	marks   Marking
	clients *memo.Memory[proof, account.ClientCredential]
	tokens  *memo.Memory[proof, account.APIToken]
}

func newAccepted(marks Marking) accepted {
	return accepted{marks, memo.New[proof, account.ClientCredential](maxAccepted), memo.New[proof, account.APIToken](maxAccepted)}
}

// mark is to be taken before what it vouches for is read.
func (a accepted) mark() memo.Mark {
	if a.marks == nil {
		return 0
	}
	return a.marks.Mark()
}
