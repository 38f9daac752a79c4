package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/sample"
)

// TestPeriodThroughThePages reads, approves, releases, pays and closes the last whole
// month of the sample company, by pages alone.
func TestPeriodThroughThePages(t *testing.T) {
	t.Parallel()
	program := chromium(t)
	address := install(t)
	browser := browse(t, program)

	first := time.Date(time.Now().Year(), time.Now().Month(), 1, 0, 0, 0, 0, time.UTC)
	month := sample.Calendar + "-" + first.AddDate(0, -1, 0).Format("2006-01")
	before := sample.Calendar + "-" + first.AddDate(0, -2, 0).Format("2006-01")
	at := "/periods/" + month

	administers(t, browser, address)
	relieves(t, browser, address)
	entersDeals(t, browser, address)

	// A rep reads what was earned and why, and where it goes.
	for _, on := range []screen{desktop, night, phone} {
		rep := arrives(t, browser, address, "p12", on)
		rep.look("home")
		rep.do(chromedp.KeyEvent(kb.Tab))
		require.True(t, rep.has(`.skip:focus`), "the first key leads past the menu")
		rep.do(chromedp.KeyEvent(kb.Enter))
		require.True(t, rep.has(`main:focus`))
		rep.follow("See how it was calculated")
		rep.do(chromedp.Click(`//summary[contains(., "behind it")]`, chromedp.BySearch))
		rep.look("statement")
		require.Contains(t, rep.text(), "×", "the arithmetic in words")
		rep.press(`(//section[contains(@class, "line")]//p/a[starts-with(normalize-space(), "This is wrong")])[1]`)
		rep.look("raise")
		rep.follow("My statements")
		rep.look("own-statements")
		rep.follow("My payouts")
		rep.look("own-payouts")
		require.Contains(t, rep.text(), "paid")
		rep.visit("/account")
		rep.look("account")
		rep.follow("Plans")
		rep.look("plans")
		rep.follow("New business version 1")
		rep.look("plan")
		rep.visit("/components")
		rep.look("components")
		rep.follow("As things stand")
		rep.sees(`//h2[normalize-space()="What if I close these deals?"]`) // the worker has calculated
		require.True(t, rep.has(`figure.chart svg rect`), "what was earned is drawn")
		rep.do(chromedp.Click(`//figure//summary[starts-with(normalize-space(), "The figures in a table")]`, chromedp.BySearch))
		rep.look("live")
		rep.write(`input[name=amounts]`, "20,000 35000")
		rep.button("Show me")
		require.Contains(t, rep.text(), "USD more:")
		rep.open("How that is calculated")
		rep.look("live-what-if")
		manager := arrives(t, browser, address, "p06", on)
		manager.follow("My team")
		require.True(t, manager.has(`figure.chart svg rect`), "the team is drawn against its quotas")
		manager.look("team")
		require.Contains(t, manager.text(), "behind that with their quota")
		manager.follow("Dewi Silva")
		manager.look("member")
		require.Contains(t, manager.text(), "How far Dewi Silva has come")
	}
	takesAReward(t, browser, address)
	rep := arrives(t, browser, address, "p12", phone)
	rep.visit("/disputes/new")
	rep.look("raise-missing-period")
	rep.button("Go on")
	rep.look("raise-missing")
	contract := filepath.Join(t.TempDir(), "contract.txt")
	require.NoError(t, os.WriteFile(contract, []byte("Harbour & Pine sold this in time."), 0o644))
	rep.visit(at + "/statements/p12")
	rep.do(chromedp.Click(`//summary[contains(., "behind it")]`, chromedp.BySearch))
	rep.press(`(//td/a[starts-with(normalize-space(), "Dispute it")])[1]`)
	rep.do(chromedp.Click(`//input[@value="data"]`, chromedp.BySearch))
	rep.write(`input[name=expected]`, "2,500.00")
	rep.write(`textarea[name=comment]`, "The customer took two more seats on the last day.\nThe contract says so.")
	rep.do(chromedp.SetUploadFiles(`input[type=file]`, []string{contract}, chromedp.ByQuery))
	rep.look("raise-deal")
	rep.button("Raise the dispute")
	rep.sees(`//p[contains(., "Your dispute is raised.")]`)
	require.Contains(t, rep.text(), "contract.txt")
	rep.look("dispute-raised")
	var dispute string
	rep.do(chromedp.Evaluate(`location.pathname`, &dispute))
	rep.follow("Disputes")
	rep.look("disputes-own")
	rep.visit("/account")
	rep.open("Be paid by bank transfer")
	rep.write(`input[name=holder]`, "Dewi Silva")
	rep.fill(`//input[@name="holder"]/ancestor::form//input[@name="account"]`, "DE89 3704 0044 0532 0130 00")
	rep.press(`//input[@name="holder"]/ancestor::form//button`)
	require.Contains(t, rep.text(), "From now on you are paid there.")
	require.Contains(t, rep.text(), "…3000")
	rep.look("account-changed")
	rep.button("Sign out everywhere")
	rep.visit("/statements")
	require.Contains(t, rep.text(), "Pick whom you want to be", "the session has ended")

	// The manager asks what the rep knows, who replies.
	manager := arrives(t, browser, address, "p06", phone)
	manager.look("home-dispute")
	manager.follow("Disputes")
	manager.look("disputes-inbox")
	manager.follow("Next")
	manager.follow("Look and answer")
	manager.look("dispute-to-answer")
	manager.open("Ask for information")
	manager.fill(`//summary[normalize-space()="Ask for information"]/..//textarea`, "Which contract?")
	manager.press(`//form//button[normalize-space()="Ask for information"]`)
	require.Contains(t, manager.text(), "Your question is sent.")
	rep = arrives(t, browser, address, "p12", desktop)
	rep.look("home-question")
	rep.press(`//a[normalize-space()="Reply"]`)
	rep.look("dispute-question")
	rep.write(`textarea[name=text]`, "The one with Harbour & Pine.")
	rep.button("Reply")
	require.Contains(t, rep.text(), "Your reply was recorded.")

	// Finance enters an adjustment from a statement, somebody else decides about it, and
	// the period is calculated again with it.
	enters := arrives(t, browser, address, sample.FinancePrepare, phone)
	enters.visit(at + "/statements/p13")
	enters.press(`//a[normalize-space()="Adjust it"]`)
	enters.write(`input[name=amount]`, "-120.50")
	enters.write(`textarea[name=reason]`, "Two seats were counted twice.")
	enters.look("adjustment-to-enter")
	enters.press(`//form//button[normalize-space()="Enter an adjustment"]`)
	require.Contains(t, enters.text(), "The adjustment is entered.")
	enters.look("adjustments-entered")
	decides := arrives(t, browser, address, sample.FinanceApprove, night)
	decides.press(`//li[contains(., "1 adjustment waits for your decision")]/a`)
	decides.do(chromedp.Click(`//summary[starts-with(normalize-space(), "Decide")]`, chromedp.BySearch))
	decides.look("adjustment-to-decide")
	decides.button("Approve the amount")
	require.Contains(t, decides.text(), "The amount is approved.")
	decides.visit(at + "/changes")
	require.Contains(t, decides.text(), "Withdraw the period before")
	decides.look("changes")
	enters.visit(at)
	enters.open("Withdraw")
	enters.write(`details[open] textarea[name=reason]`, "Two seats were counted twice.")
	enters.button("Withdraw")
	enters.follow("Calculations")
	enters.follow("See what has changed since the lock")
	enters.do(chromedp.Click(`//input[@name="change"]`, chromedp.BySearch))
	enters.look("changes-to-choose")
	enters.button("Calculate again with the chosen")
	enters.awaits(at+"/runs", `#compare`) // before it is calculated again it still stands as calculated
	enters.awaits(at, `.badge.calculated`)
	for _, v := range []*person{enters, decides} {
		v.visit(at + "/runs")
		require.Contains(t, v.text(), "−120.50 USD")
		v.look("runs")
	}
	enters.visit(at)
	for _, act := range []string{"Publish the statements", "End the dispute window"} {
		enters.open(act)
		enters.button(act)
	}

	// Managers approve, each on another screen; the head of sales approves the managers.
	for i, id := range []string{"p06", "p13", "p20", "p27", "p34", sample.Head} {
		manager := arrives(t, browser, address, id, []screen{desktop, phone, night}[i%3])
		manager.look("home-manager")
		manager.follow("Look and approve")
		manager.look("approvals")
		if i == 0 {
			manager.do(chromedp.Click(`//input[@type="checkbox"]`, chromedp.BySearch))
			manager.open("Reject the chosen")
			manager.look("approvals-reject")
			manager.button("Approve the chosen")
			require.Contains(t, manager.text(), "1 approved. 5 left.")
		}
		manager.press(`//button[starts-with(normalize-space(), "Approve all")]`)
		require.Contains(t, manager.text(), "0 left.")
		manager.look("approvals-decided")
		manager.follow("Approvals")
		manager.look("queues")
	}

	// Finance sees who is waited for, approves the head of sales, and releases.
	finance := arrives(t, browser, address, sample.FinanceRelease, desktop)
	finance.look("home-finance")
	finance.visit("/simulation?plan=new-business&version=1")
	finance.button("Show what it would pay")
	require.Contains(t, finance.text(), "0 would be paid more, 0 less, 18 the same.")
	finance.look("simulation")
	finance.visit(at + "/waiting")
	require.Contains(t, finance.text(), "1 statement waits for a decision.")
	finance.look("waiting")
	finance.visit("/cockpit")
	finance.open("How pay is distributed")
	require.True(t, finance.has(`details[open] figure.chart svg rect`))
	finance.look("cockpit")
	finance.press(`//button[normalize-space()="Remind"]`)
	require.Contains(t, finance.text(), "Reminded.")
	finance.visit(at)
	finance.look("period-approving")
	approver := arrives(t, browser, address, sample.FinanceApprove, phone)
	approver.follow("Look and approve")
	approver.button("Approve the one that waits")
	finance.visit(at)
	finance.awaits(at, `.badge.approved`)
	finance.look("period-approved")

	preparer := arrives(t, browser, address, sample.FinancePrepare, desktop)
	preparer.visit(at + "/release")
	require.Contains(t, preparer.text(), "You prepared this period")
	preparer.look("release-preparer")

	finance.follow("Look at the payouts and release them")
	finance.look("release")
	finance.button("Release exactly this list")
	finance.sees(`//p[contains(@class, "lead") and contains(., "Everything was sent")]|//p[contains(@class, "lead") and contains(., "being sent")]`)
	finance.look("period-paying")
	finance.follow("Payment files")
	finance.awaits(at+"/files", `form button.primary`)
	finance.look("files")
	for _, button := range []string{"I have sent it", "The bank has carried it out"} { // euros, and the dollars of the rep who changed
		for range 2 {
			finance.button(button)
			finance.look("files-confirmed")
		}
	}
	require.NotContains(t, finance.text(), "Not carried out yet")

	// The manager grants a part of what is disputed, somebody of finance approves it, and
	// another one releases what comes of it.
	manager = arrives(t, browser, address, "p06", night)
	manager.visit("/disputes")
	manager.look("disputes-inbox")
	manager.visit(dispute)
	manager.open("Accept, and grant an amount")
	manager.write(`input[name=amount]`, "1,150.00")
	manager.do(chromedp.Click(`//input[@name="partly"]`, chromedp.BySearch))
	manager.fill(`//input[@name="amount"]/ancestor::form//textarea`, "One of the two seats came in time.")
	manager.look("dispute-accept")
	manager.button("Accept, and grant an amount")
	require.Contains(t, manager.text(), "You have granted the amount.")
	manager.look("dispute-granted")
	approver.visit("/")
	approver.follow("Look and decide")
	approver.look("dispute-approve")
	approver.button("Approve the amount")
	require.Contains(t, approver.text(), "The amount is approved.")
	rep.visit(dispute)
	require.Contains(t, rep.text(), "partly accepted")
	rep.look("dispute-accepted")
	finance.visit("/")
	finance.press(`//li[contains(., "Disputes of")]/a[normalize-space()="Look and release"]`)
	require.Contains(t, finance.text(), "2,809.04 USD", "what was granted, and the line that the dispute held back")
	finance.look("release-supplement")
	finance.button("Release exactly this list")
	finance.awaits(at+"/files", `form button.primary`)
	finance.look("files-supplement")
	finance.button("I have sent it")
	finance.button("The bank has carried it out")
	require.NotContains(t, finance.text(), "Not carried out yet")
	finance.visit(at + "/payouts")
	finance.look("payouts")
	finance.visit(at)
	finance.sees(`//span[contains(@class, "settling")]`)
	finance.look("period-settling")
	finance.open("Close the period")
	finance.look("period-close")
	finance.button("Close the period")
	require.Contains(t, finance.text(), "The period is closed.")
	finance.look("period-closed")

	// Everything is on record, for finance and for the auditor.
	audits(t, browser, address, before)
	for id, on := range map[string]screen{sample.FinanceRelease: phone, sample.Auditor: desktop, sample.FinancePrepare: night} {
		reader := arrives(t, browser, address, id, on)
		reader.look("home")
		for _, path := range []string{"/cockpit", "/periods", at, at + "/statements", at + "/release", at + "/payouts", at + "/files", at + "/runs", "/disputes?ended=yes", "/adjustments", "/ledger?period=" + month, "/exports", "/audit?subject=pay-period/" + month + "/1", "/periods/" + before} {
			reader.visit(path)
			reader.look(pictureName(path))
		}
	}
}

// administers looks at the administrator's pages, and begins a plan from the gallery.
func administers(t *testing.T, browser context.Context, address string) {
	t.Helper()
	for _, on := range []screen{phone, desktop} {
		admin := arrives(t, browser, address, sample.Administrator, on)
		for _, path := range []string{"/", "/people", "/hierarchy", "/plans", "/plans/new-business/versions/1", "/calendars", "/quotas", "/territories", "/targets", "/imports", "/periods", "/rails", "/tokens", "/settings", "/tour"} {
			admin.visit(path)
			admin.look(pictureName(path))
		}
		admin.visit("/people/p12")
		admin.look("person")
		admin.visit("/calendars/" + sample.Calendar + "/policy")
		admin.look("policy")
		admin.visit("/plan-drafts")
		admin.look("drafts")
		admin.fill(`//input[@name="plan"]`, "team-quota-"+on.name)
		admin.fill(`//input[@name="name"]`, "Team quota")
		admin.fill(`//input[@name="currency"]`, "USD")
		admin.button("Begin a plan")
		admin.look("draft")
	}
}

// has reports whether something is on the page.
func (p *person) has(css string) bool {
	p.Helper()
	var found bool
	p.do(chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q) !== null`, css), &found))
	return found
}

// awaits visits a page until something is on it.
func (p *person) awaits(path, css string) {
	p.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if p.visit(path); p.has(css) {
			return
		}
	}
	require.Fail(p, "what is waited for does not come", "%s waits for %s on %s: %s", p.id, css, path, p.text())
}

// pictureName is a path as the name of a file.
func pictureName(path string) string {
	name := []rune("page")
	for _, r := range path {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			name = append(name, r)
		default:
			name = append(name, '-')
		}
	}
	return string(name)
}
