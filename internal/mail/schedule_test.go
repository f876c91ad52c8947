package mail

import (
	"testing"
	"time"
)

func TestI1_TriesForAboutThreeDays(t *testing.T) {
	const day = 24 * time.Hour
	for _, chance := range []float64{0, 0.999} {
		var total, before time.Duration
		for attempt := 1; attempt < maxAttempts; attempt++ {
			p := pause(attempt, chance)
			if p < before || p > longestPause*5/4 {
				t.Errorf("after attempt %d: %s, after %s", attempt, p, before)
			}
			total, before = total+p, p
		}
		if total < 66*time.Hour || total > 4*day {
			t.Errorf("tries for %s", total)
		}
	}
	if p := pause(1, 0); p != firstPause {
		t.Errorf("the first pause is %s", p)
	}
	if p := pause(0, 0); p != firstPause {
		t.Errorf("without an attempt: %s", p)
	}
}
