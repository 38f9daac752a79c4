package browser_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// takesAReward has somebody who is paid in points, too, take a reward: by three clicks at most, the
// menu of a phone among them.
func takesAReward(t *testing.T, browser context.Context, address string) {
	t.Helper()
	const paidInPoints = "p25"
	for _, on := range []screen{desktop, night, phone} {
		rep := arrives(t, browser, address, paidInPoints, on)
		clicks := 0
		follow := func(text string) {
			if on.phone {
				clicks++ // to open the menu
			}
			clicks++
			rep.follow(text)
		}
		follow("Points")
		rep.look("points")
		require.Contains(t, rep.text(), "They are worth")
		rep.write(`input[name=points]`, "2500")
		clicks++
		rep.press(`//li[contains(., "Gift card of a shop")]//button`)
		require.LessOrEqual(t, clicks, 3)
		require.Contains(t, rep.text(), "The reward is being ordered.")
		rep.sees(`//table//tr[contains(., "Gift card of a shop")]`)
		rep.follow("Charity")
		require.NotContains(t, rep.text(), "An evening out")
		rep.look("points-charity")
	}
	fin := arrives(t, browser, address, "p02", phone)
	fin.follow("Rewards for points")
	fin.look("redemptions")
	require.Contains(t, fin.text(), "Gift card of a shop")
}
