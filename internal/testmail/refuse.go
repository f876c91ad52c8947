package testmail

import (
	"strings"
	"sync"

	"github.com/emersion/go-smtp"
)

// Stage is where a letter may be refused.
type Stage int

// The stages of a letter.
const (
	Sender Stage = iota
	Recipient
	Content
)

// Refusal is an answer of the server's: 4xx is for now, 5xx for good.
type Refusal struct {
	Code     int
	Enhanced [3]int
	Text     string
	Only     string // the address at the stage that is refused; all if ""
}

// Refuse makes the server refuse letters at a stage, until it is told to Accept.
func (s *Server) Refuse(at Stage, r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals[at] = r
}

// Accept makes the server take all letters again.
func (s *Server) Accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refusals)
}

func (s *Server) refusal(at Stage, address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refusals[at]
	if !ok || r.Only != "" && !strings.EqualFold(r.Only, address) {
		return nil
	}
	return &smtp.SMTPError{Code: r.Code, EnhancedCode: smtp.EnhancedCode(r.Enhanced), Message: r.Text}
}

// Held is a hold-up: letters that have come whole, and have no answer yet.
type Held struct {
	Reached <-chan struct{} // closed when the first letter is held up

	once     sync.Once
	reached  chan struct{}
	released chan struct{}
	release  sync.Once
}

// Hold makes the server hold up its answer to each letter until it is released.
func (s *Server) Hold() *Held {
	reached := make(chan struct{})
	h := &Held{Reached: reached, reached: reached, released: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = h
	return h
}

// Release lets the letters that are held up, and all others, go on.
func (h *Held) Release() { h.release.Do(func() { close(h.released) }) }

func (s *Server) holdUp() {
	s.mu.Lock()
	h := s.held
	s.mu.Unlock()
	if h == nil {
		return
	}
	h.once.Do(func() { close(h.reached) })
	<-h.released
}
