package browser_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/sample"
)

// entersDeals has reps enter deals that no system knows, and their manager decide about them.
func entersDeals(t *testing.T, browser context.Context, address string) {
	t.Helper()
	for _, on := range []screen{desktop, phone} {
		rep := arrives(t, browser, address, "p08", on)
		rep.follow("Entered deals")
		rep.open("Enter a deal")
		rep.write(`input[name=date]`, time.Now().UTC().AddDate(0, 0, -1).Format("2006-01-02"))
		rep.write(`input[name=amount]`, "much")
		rep.write(`input[name=currency]`, "USD")
		rep.write(`input[name=customer]`, "Fair of "+on.name)
		rep.look("deal-to-enter")
		rep.button("Enter a deal")
		require.Contains(t, rep.text(), "That did not work.")
		rep.forget("answer 400", "status of 400") // which a browser notes
		rep.look("deal-refused")
		rep.write(`input[name=amount]`, "1,200.50")
		rep.button("Enter a deal")
		require.Contains(t, rep.text(), "The deal is entered and waits for approval.")
		rep.look("deal-entered")
		var deal string
		rep.do(chromedp.Evaluate(`location.pathname`, &deal))
		manager := arrives(t, browser, address, "p06", on)
		manager.follow("Entered deals")
		manager.look("deals-to-decide")
		manager.do(chromedp.Click(`//tr[contains(., "Fair of `+on.name+`")]//input[@name="deal"]`, chromedp.BySearch))
		manager.button("Approve the chosen deals")
		require.Contains(t, manager.text(), "Deals approved: 1.")
		manager.look("deals-decided")
		rep.visit(deal)
		require.Contains(t, rep.text(), "approved")
		rep.look("deal-approved")
		rep.press(`//a[@href="/notifications"]`)
		require.Contains(t, rep.text(), "Your deal has been approved, and counts.")
		rep.look("notifications")
	}
}

// relieves has an administrator relieve somebody of a part of a quota, and take it back.
func relieves(t *testing.T, browser context.Context, address string) {
	t.Helper()
	first := time.Date(time.Now().Year(), time.Now().Month(), 1, 0, 0, 0, 0, time.UTC).Format("2006-01-02")
	for _, on := range []screen{desktop, phone} {
		admin := arrives(t, browser, address, sample.Administrator, on)
		admin.follow("Relief of quotas")
		admin.open("Relieve somebody of a part of a quota")
		const form = `//select[@name="cause"]/ancestor::form`
		for field, text := range map[string]string{"participant_id": "p09", "measure": "bookings", "starts_on": first, "ends_on": first, "share": "50"} {
			admin.fill(form+`//input[@name="`+field+`"]`, text)
		}
		admin.fill(form+`//textarea`, "A day of jury duty.")
		admin.look("relief-to-set")
		admin.press(form + `//button`)
		require.Contains(t, admin.text(), "It is recorded.")
		admin.look("reliefs")
		admin.do(chromedp.Click(`//tr[.//a[@href="/people/p09"]]//summary`, chromedp.BySearch))
		admin.fill(`//tr[.//a[@href="/people/p09"]]//textarea`, "The trial was cancelled.")
		admin.look("relief-to-revise")
		admin.press(`//tr[.//a[@href="/people/p09"]]//button[@value="take-back"]`)
		require.Contains(t, admin.text(), "It is recorded.")
	}
}
