package mail_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/mail"
)

// noSecrets checks that a text has neither the password, in any form in which it
// travels, nor the address or the link of a letter.
func noSecrets(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{
		password, strings.Trim(strconv.Quote(password), `"`), base64.StdEncoding.EncodeToString([]byte(password)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password)),
		"s3cr3t", "ada@globex.example",
	} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells %q:\n%s", where, secret, text)
		}
	}
}

// said is a log.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestPasswordsDoNotShowThemselves(t *testing.T) {
	cfg := mail.Config{Address: "smtp.example:587", User: user, Password: password}
	var log said
	slog.New(slog.NewTextHandler(&log, nil)).Info("mail", "config", cfg, "password", cfg.Password)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("mail", "config", cfg)
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	noSecrets(t, "the log", log.String())
	noSecrets(t, "formats", fmt.Sprintf("%v %+v %#v %s %s", cfg, cfg, cfg, cfg.Password, encoded))
}
