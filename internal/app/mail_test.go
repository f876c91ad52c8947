package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
)

// Settings for mail that cannot work are found before anything is opened or made.
func TestI1_MailSettingsAreJudgedBeforeTheStart(t *testing.T) {
	templates := t.TempDir()
	if err := os.WriteFile(filepath.Join(templates, "invitation.txt"), []byte("Subject: x\n\n{{.Nothing}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for code, cfg := range map[string]mail.Config{
		"invalid_mail":  {From: "no-reply@app.example"},
		"mail_template": {Address: "smtp.example:587", From: "no-reply@app.example", Templates: templates},
	} {
		data := filepath.Join(t.TempDir(), "data")
		_, err := app.Open(t.Context(), app.Config{DataDir: data, Mail: cfg, Log: quiet()})
		if !fault.HasCode(err, code) || !errors.Is(err, fault.Invalid) {
			t.Errorf("%v, want %s", err, code)
		}
		if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the data directory is there: %v", code, err)
		}
	}
}
