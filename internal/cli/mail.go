package cli

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
)

// passwordVariable is the one environment variable that is no flag's: a password has no place on a command line.
const passwordVariable = "TENANTRY_SMTP_PASSWORD" //nolint:gosec // the name of a variable, not a password

// postage are the flags that say where letters go.
type postage struct {
	cfg          mail.Config
	passwordFile string
}

func (p *postage) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.cfg.Address, "smtp-address", "", "mail server for invitations, host:port; without it no mail is sent")
	flags.StringVar((*string)(&p.cfg.Security), "smtp-security", string(mail.StartTLS), "starttls (required, not only tried), tls from the first byte, or none, which only a mail server on this machine gets")
	flags.BoolVar(&p.cfg.AllowPlaintext, "smtp-plaintext", false, "allow --smtp-security none to other machines: invitations and the password can be read on the way")
	flags.StringVar(&p.cfg.CAFile, "smtp-ca", "", "PEM file with the authorities to trust for the mail server (default: the system's)")
	flags.StringVar(&p.cfg.User, "smtp-user", "", "user at the mail server; the password comes from "+passwordVariable+" or --smtp-password-file")
	flags.StringVar(&p.passwordFile, "smtp-password-file", "", "file with that user's password")
	flags.StringVar((*string)(&p.cfg.Auth), "smtp-auth", string(mail.AuthAuto), "how to authenticate: auto, plain, login or cram-md5")
	flags.StringVar(&p.cfg.From, "mail-from", "", "sender of the mail: an address, or Name <address>")
	flags.StringVar(&p.cfg.Templates, "mail-templates", "", "folder with templates that replace the built-in ones: invitation.txt, invitation.html")
}

// config returns the configuration with the password; Invalid faults (invalid_mail, unreadable_file).
func (p *postage) config() (mail.Config, error) {
	cfg := p.cfg
	password, err := p.password()
	if err != nil {
		return mail.Config{}, err
	}
	cfg.Password = password
	return cfg, cfg.Check()
}

func (p *postage) password() (mail.Password, error) {
	given := os.Getenv(passwordVariable)
	if p.passwordFile == "" {
		return mail.Password(given), nil
	}
	if given != "" {
		return "", fault.New(fault.Invalid, "invalid_mail", "the mail server's password is given twice: in %s and by --smtp-password-file", passwordVariable).In("smtp-password-file")
	}
	content, err := os.ReadFile(p.passwordFile)
	if err != nil {
		return "", fault.New(fault.Invalid, "unreadable_file", "cannot read %s", p.passwordFile).In("smtp-password-file").Because(err)
	}
	password := bytes.TrimRight(content, "\r\n")
	if len(password) == 0 || bytes.ContainsAny(password, "\r\n\x00") {
		return "", fault.New(fault.Invalid, "invalid_mail", "%s does not hold a password on one line", p.passwordFile).In("smtp-password-file")
	}
	return mail.Password(password), nil
}

func (c *console) mailCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mail",
		Short: "Try the settings for mail",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.mailTest())
	return cmd
}

func (c *console) mailTest() *cobra.Command {
	var p postage
	cmd := &cobra.Command{
		Use:   "test [ADDRESS]",
		Short: "Send a sample invitation to an address; without one, only connect to the mail server",
		Long: `Test reads the templates, connects to the mail server, encrypts and authenticates,
with the same flags and environment variables as serve. With an address it sends a
sample invitation there, whose link opens nothing.`,
		Example: "  tenantry mail test --smtp-address smtp.example:587 --mail-from no-reply@app.example you@app.example",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			sender, err := mail.NewSender(cfg)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if err := sender.Verify(cmd.Context()); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "%s answers, and accepts who Tenantry is; nothing was sent\n", cfg.Address)
				return nil
			}
			if err := sender.Send(cmd.Context(), mail.Sample(args[0])); err != nil {
				return err
			}
			fmt.Fprintf(c.out, "%s has taken a sample invitation to %s\n", cfg.Address, args[0])
			return nil
		},
	}
	p.register(cmd.Flags())
	return cmd
}
