package store

import "sync"

// mostLasting is how many answers of a kind are kept.
const mostLasting = 256

// lasting keeps answers about what never changes, such as a run: each is looked for once. Its zero
// value is ready. What it returns belongs to everybody, and nobody changes it.
type lasting[K comparable, V any] struct {
	mutex   sync.Mutex
	answers map[K]V
}

// of returns the answer to a question, looking for it where it is not known.
func (l *lasting[K, V]) of(question K, look func() (V, error)) (V, error) {
	l.mutex.Lock()
	answer, known := l.answers[question]
	l.mutex.Unlock()
	if known {
		return answer, nil
	}
	answer, err := look()
	if err != nil {
		return answer, err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.answers == nil || len(l.answers) >= mostLasting {
		l.answers = map[K]V{}
	}
	l.answers[question] = answer
	return answer, nil
}
