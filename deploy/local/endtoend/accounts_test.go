package endtoend

import "fmt"

// iban is an account of its own for each number: payouts of several people to one are held.
func iban(n int) string {
	account := fmt.Sprintf("37040044%010d", n)
	rest := 0
	for _, digit := range account + "131400" { // DE and 00 as numbers
		rest = (10*rest + int(digit-'0')) % 97
	}
	return fmt.Sprintf("DE%02d%s", 98-rest, account)
}
