package activities

import "github.com/guerdon/guerdon/payments"

// askAgain asks a rail, and once more where what it says cannot be right: that may be the answer
// to another request, which a proxy gave twice. What it says then counts. Asking must change nothing
// the second time.
func askAgain[T any](ask func() (T, error)) (T, error) {
	said, err := ask()
	if payments.ClassOf(err) == payments.Alarm {
		said, err = ask()
	}
	return said, err
}
