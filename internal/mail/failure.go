package mail

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// The codes of failures to send. Only refusedCode is for good.
const (
	refusedCode   = "mail_refused"
	unavailable   = "mail_unavailable"
	unauthorized  = "mail_unauthorized"
	insecure      = "mail_insecure"
	senderRefused = "mail_sender_refused"
)

// Permanent reports whether the error of a Send is for good: the recipient, or
// what the letter says, is refused, and would be again.
func Permanent(err error) bool { return fault.HasCode(err, refusedCode) }

// step is what is being done with the mail server.
type step string

const (
	connecting     step = "connecting"
	encrypting     step = "encrypting"
	authenticating step = "authenticating"
	naming         step = "naming the sender"
	addressing     step = "naming the recipient"
	handingOver    step = "handing over the letter"
)

// failure makes the fault of a step that failed. Its text is for everybody who
// may see the state of a letter, and so says nothing of the server but its codes;
// its cause is for the log. Neither holds the password or one of the secrets.
func (s *Sender) failure(ctx context.Context, at step, err error, secrets ...string) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if s.cfg.Password != "" {
		sent := "\x00" + s.cfg.User + "\x00" + string(s.cfg.Password) // by PLAIN
		secrets = append(secrets, sent, string(s.cfg.Password))
	}
	said := err.Error()
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		said = fmt.Sprint(answer.Code, " ", answer.Msg) // its Error has it in quotes, where a secret would look different
	}
	return judge(ctx, at, err).Because(errors.New(oneLine(scrub(said, secrets), maxSaid)))
}

// maxSaid is the most of what a server says that is kept, in characters.
const maxSaid = 500

// judge says what an error means.
func judge(ctx context.Context, at step, err error) *fault.Error {
	if ctx.Err() != nil {
		return fault.New(fault.Unavailable, unavailable, "sending was broken off, or took too long (%s)", at)
	}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return refusal(at, answer)
	}
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		return fault.New(fault.Unavailable, insecure, "the mail server's certificate cannot be trusted; nothing was sent")
	}
	network, ok := errors.AsType[net.Error](err)
	timeout := ok && network.Timeout()
	switch {
	case at == encrypting && !timeout:
		return fault.New(fault.Unavailable, insecure, "the connection to the mail server cannot be encrypted; nothing was sent")
	case at == connecting:
		return fault.New(fault.Unavailable, unavailable, "the mail server cannot be reached")
	case timeout:
		return fault.New(fault.Unavailable, unavailable, "the mail server did not answer in time (%s)", at)
	default:
		return fault.New(fault.Unavailable, unavailable, "the mail server broke off (%s)", at)
	}
}

// refusal is the fault for an answer of the server's that is not the one hoped for.
func refusal(at step, answer *textproto.Error) *fault.Error {
	codes := codesOf(answer)
	switch {
	case answer.Code < 500:
		return fault.New(fault.Unavailable, unavailable, "the mail server refuses for now (%s: %s)", at, codes)
	case at == authenticating || wantsAuth(answer.Code):
		return fault.New(fault.Unavailable, unauthorized, "the mail server does not accept Tenantry's user and password, or wants some (%s)", codes)
	case at == naming:
		return fault.New(fault.Unavailable, senderRefused, "the mail server does not accept the sender of the letters (%s)", codes)
	case at == addressing:
		return fault.New(fault.Conflict, refusedCode, "the mail server refuses the recipient (%s)", codes)
	case at == handingOver:
		return fault.New(fault.Conflict, refusedCode, "the mail server refuses the letter (%s)", codes)
	default:
		return fault.New(fault.Unavailable, unavailable, "the mail server refuses (%s: %s)", at, codes)
	}
}

// wantsAuth reports the codes for authentication, or encryption, that is missing (RFC 4954).
func wantsAuth(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// codesOf is the code of an answer with its enhanced one, if it has one: "550 5.1.1".
func codesOf(answer *textproto.Error) string {
	var class, subject, detail int
	if n, _ := fmt.Sscanf(answer.Msg, "%1d.%3d.%3d", &class, &subject, &detail); n == 3 && class == answer.Code/100 {
		return fmt.Sprintf("%d %d.%d.%d", answer.Code, class, subject, detail)
	}
	return fmt.Sprint(answer.Code)
}

// scrub takes secrets out of a text, should a server repeat them, also in the form in which they were sent.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[hidden]")
			text = strings.ReplaceAll(text, base64.StdEncoding.EncodeToString([]byte(s)), "[hidden]")
		}
	}
	return text
}
