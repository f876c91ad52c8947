package app

import (
	"context"

	"github.com/tenantry/tenantry/internal/mail"
)

// postOffice is what sends letters in the background. A nil one sends none.
type postOffice struct {
	courier *mail.Courier
	stop    context.CancelFunc
	stopped chan struct{}
}

// openMail starts to send what the queue holds, if there are a queue and a mail server for it.
func (a *App) openMail(background context.Context, sender *mail.Sender) *postOffice {
	if sender == nil {
		return nil
	}
	p := &postOffice{stopped: make(chan struct{}), courier: mail.NewCourier(a.mailQueue(), sender, mail.CourierConfig{
		Log: a.cfg.Log, Registry: a.cfg.Registry, Now: a.cfg.Now, Grace: a.cfg.Grace,
	})}
	background, p.stop = context.WithCancel(background)
	go func() {
		defer close(p.stopped)
		p.courier.Run(background)
	}()
	return p
}

// Wake has the queue looked into at once, after something was put there. It never waits.
func (p *postOffice) Wake() {
	if p != nil {
		p.courier.Wake()
	}
}

// close lets letters under way finish, for the configured grace, and waits for that.
func (p *postOffice) close() {
	if p != nil {
		p.stop()
		<-p.stopped
	}
}

// sender returns what hands letters to the mail server, nil if none is
// configured. Invalid faults: invalid_mail, mail_template.
func (c Config) sender() (*mail.Sender, error) {
	if !c.Mail.Configured() {
		return nil, c.Mail.Check()
	}
	return mail.NewSender(c.Mail)
}
