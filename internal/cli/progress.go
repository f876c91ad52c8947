package cli

import (
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar over several things that go on at once, such as the filling
// of every environment. It is safe for concurrent use.
type progress struct {
	draw func(done, total int)

	mu    sync.Mutex
	parts map[string]part
}

type part struct{ done, total int }

// at notes how far one of the things has come, and shows how far all have.
func (p *progress) at(name string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parts == nil {
		p.parts = map[string]part{}
	}
	p.parts[name] = part{done, total}
	var all part
	for _, one := range p.parts {
		all.done += one.done
		all.total += one.total
	}
	p.draw(all.done, all.total)
}

// one returns the function that notes how far a thing has come.
func (p *progress) one(name string) func(done, total int) {
	return func(done, total int) { p.at(name, done, total) }
}

// bar returns a progress bar, which shows nothing unless standard error is a terminal.
func (c *console) bar(doing string) *progress {
	file, ok := c.err.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &progress{draw: func(int, int) {}}
	}
	var bar *progressbar.ProgressBar
	return &progress{draw: func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(file), progressbar.OptionSetDescription(doing),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish())
		}
		bar.ChangeMax(total)
		_ = bar.Set(done) // a bar that cannot be drawn is no reason to stop
	}}
}
