package api

import (
	"sync"

	"golang.org/x/time/rate"
)

// Limiter bounds how fast each of many may ask. It forgets those who have not asked for
// long, so that its size is bounded by how many ask at a time.
type Limiter struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	of   map[string]*rate.Limiter
	full int // how many it holds before it looks for those to forget
}

// smallest is how many a limiter holds before it forgets anybody.
const smallest = 1000

// NewLimiter allows each so many a second, and so many at once.
func NewLimiter(perSecond float64, burst int) *Limiter {
	return &Limiter{rate: rate.Limit(perSecond), burst: burst, of: map[string]*rate.Limiter{}, full: smallest}
}

// Allow reports whether somebody may ask now.
func (l *Limiter) Allow(who string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, known := l.of[who]
	if !known {
		if len(l.of) >= l.full {
			for name, other := range l.of {
				if other.Tokens() >= float64(l.burst) { // as good as new
					delete(l.of, name)
				}
			}
			l.full = max(smallest, 2*len(l.of))
		}
		one = rate.NewLimiter(l.rate, l.burst)
		l.of[who] = one
	}
	return one.Allow()
}
