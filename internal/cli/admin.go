package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

// adminFlags are those of the person who is to administer a new environment.
func adminFlags(f *pflag.FlagSet, admin *directory.FirstAdmin) {
	f.StringVar(&admin.Email, "admin", "", "e-mail address of the first admin, who signs in at --admin-issuer")
	f.StringVar(&admin.Issuer, "admin-issuer", "", "address of the OpenID provider of the vendor's own people, as its tokens have it in iss")
	f.StringVar(&admin.Audience, "admin-audience", "", "for whom its tokens have to be: aud")
}

// makeEnvironment makes an environment, with a first admin if one is named. where are the flags that name the deployment.
func (c *console) makeEnvironment(ctx context.Context, a *app.App, where string, env account.Environment, admin directory.FirstAdmin) error {
	req := directory.Request{Actor: system("")}
	if admin == (directory.FirstAdmin{}) {
		made, err := a.Directory.CreateEnvironment(ctx, req, env)
		if err == nil {
			fmt.Fprintf(c.out, "environment %s made\n", made.Value.ID)
		}
		return err
	}
	if admin.Email == "" || admin.Issuer == "" || admin.Audience == "" {
		return usage{errors.New("--admin, --admin-issuer and --admin-audience go together: who it is, where they sign in, and for whom the tokens are")}
	}
	made, err := a.Directory.CreateEnvironmentFor(ctx, req, env, admin)
	if err != nil {
		return err
	}
	if strings.HasPrefix(admin.Issuer, "http:") {
		where += " --allow-http-issuers"
	}
	fmt.Fprintf(c.out, `environment %[1]s made, and its admin %[2]s

Next: start the server (%[4]s serve%[5]s), sign in at %[3]s,
and call with its token:
  Authorization: Bearer TOKEN
  Tenantry-Environment: %[1]s
The first call links the admin to who they are there, if the provider says that the
address is verified. See who you are with GET /v1/me.
`, made.Value.ID, admin.Email, admin.Issuer, c.program, where)
	return nil
}
