package directory

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

// Config adjusts a Directory; the zero value is good for production.
type Config struct {
	ApplyWait time.Duration // how long a write waits to be in force before it answers that it is not yet; 5 s if 0
	Now       func() time.Time

	// Issuer is in whose name this deployment issues tokens: no OpenID provider may have that address. "" for none.
	Issuer string

	// Letters is told that there is a letter to send; nil if no mail can be sent.
	Letters func()
}

// Directory is the write side of Tenantry, and the plain reads of what it holds.
type Directory struct {
	store      Store
	authorizer Authorizer
	applier    Applier
	catalogue  *schema.Catalogue
	cfg        Config
}

// New returns a Directory over a store. Rights are decided by authorizer; writes wait for applier.
func New(store Store, authorizer Authorizer, applier Applier, catalogue *schema.Catalogue, cfg Config) *Directory {
	if cfg.ApplyWait == 0 {
		cfg.ApplyWait = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Directory{store: store, authorizer: authorizer, applier: applier, catalogue: catalogue, cfg: cfg}
}

// Catalogue returns the permissions that roles are made of.
func (d *Directory) Catalogue() *schema.Catalogue { return d.catalogue }

// orNew returns the caller's identifier, checked, or a new one if it is empty.
func orNew[T ~string](field string, id T, prefix string) (T, error) {
	if id == "" {
		return T(account.NewID(prefix)), nil
	}
	return id, account.CheckID(field, id)
}
