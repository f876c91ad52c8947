package mail

import "time"

// What fails is tried again after half a minute, then after twice as long each
// time, and at most four hours: about three days in all.
const (
	firstPause   = 30 * time.Second
	longestPause = 4 * time.Hour
	maxAttempts  = 27
)

// pause is how long to wait after the given attempt, counted from 1, failed. Chance,
// between 0 and 1, makes it up to a quarter longer, so that letters that failed together part.
func pause(attempt int, chance float64) time.Duration {
	p := firstPause
	for range attempt - 1 {
		p = min(2*p, longestPause)
	}
	return p + time.Duration(chance*float64(p)/4)
}
