package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/sample"
)

// TestFirstRun takes an empty company to its first calculated period by pages alone, in Indonesian, from each step of
// the tour to the next.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	program := chromium(t)
	address := install(t, "--empty")
	browser := browse(t, program)
	first := time.Date(time.Now().Year(), time.Now().Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -1, 0)
	from := first.Format(time.DateOnly)

	admin := arrives(t, browser, address, sample.Administrator, desktop)
	admin.visit("/account")
	admin.write(`select[name=language]`, "id")
	admin.press(`//select[@name="language"]/ancestor::form//button`)
	// goes follows the tour to where its next step is done.
	step := 0
	goes := func() {
		t.Helper()
		step++
		admin.visit("/")
		require.True(t, admin.has(fmt.Sprintf(`.tour li:nth-child(%d)[aria-current=step]`, step)), "step %d is next", step)
		admin.press(`//*[@aria-current="step"]//a`)
	}
	goes() // company
	admin.write(`input[name=name]`, "Kopi Nusantara")
	admin.press(`//form[@action="/settings"]//button`)
	goes() // people
	for _, id := range []string{"fin", "rani"} {
		admin.visit("/people")
		admin.do(chromedp.Click(`details.act > summary`, chromedp.ByQuery))
		for name, value := range map[string]string{"participant_id": id, "name": id, "country": "ID", "pay_currency": "IDR", "effective_from": from} {
			admin.write(fmt.Sprintf(`form[action="/people"] input[name=%s]`, name), value)
		}
		admin.press(`//form[@method="post"][@action="/people"]//button`)
	}
	goes() // roles
	for id, role := range map[string]string{"fin": "finance", "rani": "rep"} {
		admin.visit("/people/" + id)
		admin.do(chromedp.Click(`section[aria-labelledby=roles] summary`, chromedp.ByQuery))
		admin.do(chromedp.Click(fmt.Sprintf(`input[value=%s]`, role), chromedp.ByQuery))
		admin.press(`//section[@aria-labelledby="roles"]//button`)
	}
	goes() // calendar
	admin.look("first-calendar")
	admin.write(`input[name=calendar]`, "bulanan")
	admin.write(`input[name=starts_on]`, from)
	admin.press(`(//details[@open]//form//button)[1]`)
	goes() // plan
	admin.look("first-plan")
	admin.write(`select[name=from]`, "per-deal-bands")
	for name, value := range map[string]string{"plan": "penjualan", "name": "Penjualan", "currency": "IDR"} {
		admin.write(fmt.Sprintf(`input[name=%s]`, name), value)
	}
	admin.press(`//input[@name="currency"]/ancestor::form//button`)
	admin.write(`input[name=effective_from]`, from)
	admin.press(`//input[@name="effective_from"]/ancestor::form//button`)
	goes() // assignments
	admin.visit("/people/rani")
	admin.do(chromedp.Click(`section[aria-labelledby=plans] summary`, chromedp.ByQuery))
	admin.write(`section[aria-labelledby=plans] input[name=starts_on]`, from)
	admin.press(`//section[@aria-labelledby="plans"]//button`)
	goes() // deals
	admin.look("first-import")
	mapping, deals := filepath.Join(t.TempDir(), "deals.yaml"), filepath.Join(t.TempDir(), "deals.csv")
	require.NoError(t, os.WriteFile(mapping, []byte("records:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: IDR}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n"), 0o644))
	require.NoError(t, os.WriteFile(deals, []byte("deal,day,amount,owner\nD1,"+from+",5000,rani\n"), 0o644))
	admin.do(chromedp.SetUploadFiles(`(//input[@type="file"])[1]`, []string{mapping}, chromedp.BySearch), chromedp.SetUploadFiles(`(//input[@type="file"])[2]`, []string{deals}, chromedp.BySearch))
	admin.press(`//input[@type="file"]/ancestor::form//button`)
	goes() // open
	fin := arrives(t, browser, address, "fin", desktop)
	at := "/periods/bulanan-" + first.Format("2006-01")
	fin.visit(at)
	fin.button("Open the period")
	goes() // calculate
	fin.visit(at)
	fin.open("Lock the data")
	fin.button("Lock the data")
	fin.sees(`//p[contains(., "Every statement is calculated.")]`)
	admin.visit("/")
	require.False(t, admin.has(`.tour`), "the tour is over")
	fin.visit(at + "/statements/rani")
	require.Contains(t, fin.text(), "IDR")
	fin.look("first-statement")
}
