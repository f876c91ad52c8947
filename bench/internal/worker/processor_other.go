//go:build !unix

package worker

import "time"

// processor is not known here.
func processor() time.Duration { return 0 }
