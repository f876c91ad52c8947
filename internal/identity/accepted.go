package identity

import (
	"crypto/sha256"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/memo"
)

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

// accepted is what was read about credentials that were good. It is good at the mark that memo.For gives.
type accepted struct {
	clients *memo.Memory[proof, account.ClientCredential]
	tokens  *memo.Memory[proof, account.APIToken]
	issued  *memo.Memory[[sha256.Size]byte, verified] // by the hash of the token
}

// verified is an issued token whose signature is good.
type verified struct {
	key    account.SigningKey // without what signs
	claims issued
}

func newAccepted() accepted {
	return accepted{
		memo.New[proof, account.ClientCredential](maxAccepted), memo.New[proof, account.APIToken](maxAccepted),
		memo.New[[sha256.Size]byte, verified](maxAccepted),
	}
}
