package browser_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/sample"
)

// audits has the auditor prove a closed period, draw from it, say what they found, and take the evidence along.
func audits(t *testing.T, browser context.Context, address, period string) {
	t.Helper()
	for _, on := range []screen{desktop, phone} {
		auditor := arrives(t, browser, address, sample.Auditor, on)
		auditor.look("home-auditor")
		auditor.visit("/periods/" + period + "/proof")
		auditor.look("proof")
		auditor.button("Prove the whole period")
		auditor.sees(`//section[@id="verification"]//span[contains(@class, "proved")]`)
		var proof string
		auditor.do(chromedp.Evaluate(`location.pathname`, &proof))
		auditor.visit(proof) // with the report, which comes once it has ended
		require.Contains(t, auditor.text(), "All of it was proved.")
		auditor.look("verification")
		auditor.visit("/periods/" + period + "/samples")
		auditor.write(`input[name=size]`, "4")
		auditor.write(`input[name=strata]`, "2")
		auditor.write(`input[name=seed]`, "of the auditor's own, on a "+on.name)
		auditor.button("Draw a sample")
		auditor.do(chromedp.Click(`(//summary[starts-with(normalize-space(), "Remark")])[1]`, chromedp.BySearch))
		auditor.fill(`//details[@open]//textarea[@name="remark"]`, "Held against the contract.")
		auditor.press(`//details[@open]//button[@value="fine"]`)
		require.Contains(t, auditor.text(), "Your remark was recorded.")
		auditor.look("sample")
		auditor.visit("/periods/" + period + "/proof")
		require.Contains(t, auditor.text(), "Take the evidence along")
		auditor.look("evidence")
		auditor.follow("Segregation of duties")
		auditor.look("duties")
		auditor.follow("Audit")
		auditor.look("audit")
	}
}
