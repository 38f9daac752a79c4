package web

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// published is a house in which the statements of January can be disputed.
func published(t *testing.T) *house {
	t.Helper()
	h := settled(t, time.Minute)
	fin := h.as("fin")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	require.Contains(t, h.as("r1").visit("/disputes/new"), "Nothing of yours can be disputed today.")
	fin.does(at, at, url.Values{"act": {"lock"}}, "The data are locked")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	return h
}

// attached is a file of a form.
type attached struct{ name, content string }

// uploads sends a form with files of the page.
func (v *visitor) uploads(page, action string, form url.Values, files ...attached) (status int, text string) {
	v.Helper()
	key := keyOf.FindStringSubmatch(v.visit(page))
	require.NotNil(v, key, "%s has no form", page)
	form.Set("key", key[1])
	return v.multipart(action, form, files...)
}

func (v *visitor) multipart(action string, form url.Values, files ...attached) (status int, text string) {
	v.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for field, values := range form {
		for _, value := range values {
			require.NoError(v, parts.WriteField(field, value))
		}
	}
	for _, f := range files {
		part, err := parts.CreateFormFile("file", f.name)
		require.NoError(v, err)
		_, err = io.WriteString(part, f.content)
		require.NoError(v, err)
	}
	require.NoError(v, parts.Close())
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.url+action, &body)
	require.NoError(v, err)
	request.Header.Set("Content-Type", parts.FormDataContentType())
	return v.do(request)
}

var disputeOf = regexp.MustCompile(`href="/disputes/([0-9a-f-]{36})"`)

// disputes raises a dispute by the link of one's statement and returns its page.
func (v *visitor) disputes(link string, form url.Values, files ...attached) (path string) {
	v.Helper()
	status, text := v.uploads(link, "/disputes", form, files...)
	require.Equal(v, http.StatusOK, status, text)
	require.Contains(v, text, "Your dispute is raised.")
	return "/disputes/" + disputeOf.FindStringSubmatch(v.visit("/disputes"))[1] // the latest comes first
}

// TestADispute is raised from a statement, added to, asked back about, replied to and
// withdrawn.
func TestADispute(t *testing.T) {
	t.Parallel()
	h := published(t)
	r1 := h.as("r1")
	const line = "/disputes/new?period=m-2026-01&plan=p&component=Commission"
	const deal = line + "&source=crm&transaction=D1"
	statement := html.UnescapeString(r1.visit("/periods/m-2026-01/statements/r1"))
	require.Contains(t, statement, `<a href="/plans/p/versions/1">Plan P, version 1</a>`)
	for _, link := range []string{line, deal, "/disputes/new?period=m-2026-01"} {
		require.Contains(t, statement, `href="`+link+`"`)
	}
	require.NotContains(t, h.as("m").visit("/periods/m-2026-01/statements/r1"), "/disputes/new", "of one's own pay alone")
	require.Contains(t, r1.visit("/disputes/new"), `<option value="m-2026-01">January 2026</option>`)
	require.Contains(t, r1.visit(line), "The statement says 6,172.84\u00a0USD.")
	for _, unknown := range []string{strings.Replace(line, "Commission", "Bonus", 1), strings.Replace(deal, "D1", "D2", 1), strings.Replace(line, "m-2026-01", "m-2026-02", 1)} {
		status, _ := r1.send(http.MethodGet, unknown, nil)
		require.Equal(t, http.StatusNotFound, status, unknown)
	}

	// What is refused stays written.
	form := func(change ...string) url.Values {
		f := url.Values{"period": {"m-2026-01"}, "plan": {"p"}, "component": {"Commission"}, "type": {"calculation"}, "expected": {"7,000.50"}, "currency": {"USD"}, "comment": {"Too <little>"}}
		for i := 0; i < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return f
	}
	for _, amount := range []string{"7.000,50", "1,50", "a lot", "", "1.001"} {
		status, text := r1.uploads(line, "/disputes", form("expected", amount))
		require.Equal(t, http.StatusBadRequest, status, amount)
		require.Contains(t, text, "Too &lt;little&gt;</textarea>")
		require.Contains(t, text, `value="calculation" required checked`)
		require.Contains(t, text, "That did not work.")
	}
	for _, wrong := range []url.Values{form("type", "mood"), form("type", "missing"), form("comment", " "), form("currency", "EUR"), form("currency", "x"), form("source", "crm")} {
		status, text := r1.uploads(line, "/disputes", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
		require.Contains(t, text, "That did not work.")
	}
	status, _ := r1.multipart("/disputes", form())
	require.Equal(t, http.StatusBadRequest, status, "a form without a key does nothing")
	status, _ = r1.send(http.MethodPost, "/disputes", form())
	require.Equal(t, http.StatusBadRequest, status, "nor does one that is no upload")
	require.Contains(t, r1.visit("/disputes"), "You have disputed nothing.")

	// Raised with two files, and one that is left empty.
	at := r1.disputes(line, form(), attached{"contract.txt", "the contract"}, attached{}, attached{"mail.csv", "a,b\n"})
	page := r1.visit(at)
	for _, says := range []string{"<h1>Commission</h1>", "7,000.50\u00a0USD", "The difference: 827.66\u00a0USD.", "Waits for: Em.", "Too &lt;little&gt;", "wrongly calculated", ">contract.txt</a>", ">mail.csv</a>"} {
		require.Contains(t, page, says)
	}
	file := regexp.MustCompile(`href="(` + at + `/files/[0-9a-f-]{36})" download>contract.txt`).FindStringSubmatch(page)[1]
	response, err := r1.web.Get(h.url + file)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "the contract", string(content))
	require.Equal(t, "attachment; filename=contract.txt", response.Header.Get("Content-Disposition"))
	require.Equal(t, "application/octet-stream", response.Header.Get("Content-Type"))
	for _, other := range []string{"r2", "admin"} {
		for _, path := range []string{at, file} {
			status, text := h.as(other).send(http.MethodGet, path, nil)
			require.Contains(t, []int{http.StatusNotFound, http.StatusForbidden}, status, "%s at %s", other, path)
			require.NotContains(t, text, "contract")
		}
		status, _ := h.as(other).multipart(at+"/files", url.Values{"key": {"another"}}, attached{"mine.txt", "x"})
		require.Contains(t, []int{http.StatusNotFound, http.StatusForbidden}, status)
	}
	require.NotContains(t, h.as("r2").visit("/disputes"), at)

	// More files, of which each is checked, and what else is wrong.
	status, text := r1.uploads(at, at+"/files", url.Values{"act": {"files"}}, attached{"more.txt", "more"}, attached{"virus.exe", "MZ"})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "is of a kind that is not kept")
	require.Contains(t, text, "more.txt", "what came before it was added")
	status, text = r1.uploads(at, at+"/files", url.Values{"act": {"files"}}, attached{"even.png", "\x89PNG\r\n\x1a\n"})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "Your files were added.")
	status, text = r1.uploads(line, "/disputes", form())
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "You have disputed this already")
	missing := r1.disputes("/disputes/new?period=m-2026-01", url.Values{"period": {"m-2026-01"}, "type": {"missing"}, "source": {"crm"}, "transaction": {"D9"}, "expected": {"50"}, "currency": {"USD"}, "comment": {"it is mine"}})
	require.Contains(t, r1.visit(missing), "<h1>Deal D9 is missing</h1>")
	status, _ = r1.fill(missing, missing+"/replies", url.Values{"act": {"reply"}, "text": {"nobody asked"}})
	require.Equal(t, http.StatusConflict, status)

	// A question, the reply, and the end.
	h.as("m").does(at, at+"/answers", url.Values{"act": {"ask"}, "text": {"Which contract?"}}, "Your question is sent.")
	require.Contains(t, r1.visit("/"), "Your dispute about January 2026 waits for your reply")
	page = r1.visit(at)
	require.Contains(t, page, "Which contract?")
	require.Contains(t, page, "Waits for: You.")
	status, text = r1.fill(at, at+"/replies", url.Values{"act": {"reply"}, "text": {" "}})
	require.Equal(t, http.StatusBadRequest, status, text)
	r1.does(at, at+"/replies", url.Values{"act": {"reply"}, "text": {"The one with Acme"}}, "Your reply was recorded.")
	require.NotContains(t, r1.visit("/"), "waits for your reply")
	r1.does(at, at+"/replies", url.Values{"act": {"withdraw"}}, "Your dispute is withdrawn.")
	page = r1.visit(at)
	require.Regexp(t, `(?s)Disputed<.*File added<.*Asked back<.*Replied<.*The one with Acme.*Withdrawn<`, page)
	require.NotContains(t, page, "<form method=\"post\" action=\"/disputes", "there is nothing left to do")
	require.Contains(t, h.as("aud").visit("/audit?subject="+strings.Replace(at, "/disputes", "dispute", 1)), "File added")
}

// TestAnsweringDisputes goes from a manager's inbox to an amount that a second person of
// finance approves.
func TestAnsweringDisputes(t *testing.T) {
	t.Parallel()
	h := published(t)
	r1, r2, m, fin, fin2, aud := h.as("r1"), h.as("r2"), h.as("m"), h.as("fin"), h.as("fin2"), h.as("aud")
	const line = "/disputes/new?period=m-2026-01&plan=p&component=Commission"
	form := url.Values{"period": {"m-2026-01"}, "plan": {"p"}, "component": {"Commission"}, "type": {"data"}, "expected": {"6,272.84"}, "currency": {"USD"}, "comment": {"D4 is missing"}}
	at := r1.disputes(line, form)
	form.Set("expected", "100")
	other := r2.disputes(line, form)

	// Each is with whoever has to answer, and is overdue once the day has passed.
	require.Contains(t, m.visit("/"), "1 dispute waits for your answer")
	require.Contains(t, m.visit("/"), `href="`+at+`"`, "the one there is")
	require.Contains(t, fin.visit("/"), `href="`+other+`"`, "r2 has no manager")
	require.Contains(t, m.visit("/disputes"), "1 dispute waits for you")
	require.NotContains(t, m.visit("/disputes"), other)
	inbox := fin.visit("/disputes")
	require.Regexp(t, `(?s)1 dispute waits for you.*`+other+`.*Under way.*`+at, inbox)
	require.Regexp(t, `(?s)Under way.*`+at+`.*`+other, aud.visit("/disputes"))
	require.NotContains(t, aud.visit("/disputes"), "waits for you")
	require.Contains(t, fin.visit("/disputes?period=m-2026-02"), "Nothing is like that.")
	require.NotContains(t, inbox, "overdue")
	require.NoError(t, h.store.PromiseAnswer(t.Context(), strings.TrimPrefix(at, "/disputes/"), time.Now().Add(-time.Hour)))
	require.Contains(t, m.visit("/disputes"), "overdue")
	require.Contains(t, m.visit("/"), `<li class="urgent"><div><strong>1 dispute waits`)
	require.Contains(t, r1.visit("/disputes"), "overdue")

	// Who may not answer is not asked to, and is refused.
	for _, v := range []*visitor{r1, aud} {
		require.NotContains(t, v.visit(at), at+"/answers")
		status, _ := v.send(http.MethodPost, at+"/answers", url.Values{"key": {"forged"}, "act": {"reject"}, "text": {"no"}})
		require.Equal(t, http.StatusForbidden, status, v.id)
	}
	page := m.visit(at)
	require.Contains(t, page, `name="amount" inputmode="decimal" maxlength="30" required value="100.00"`, "what is asked for besides")
	require.Contains(t, page, "Finance withdraws the period")
	for _, wrong := range []url.Values{{"act": {"accept"}, "text": {"right"}, "amount": {"1,50"}, "currency": {"USD"}}, {"act": {"accept"}, "text": {"right"}, "amount": {"0"}, "currency": {"USD"}},
		{"act": {"accept"}, "text": {"right"}, "amount": {"1"}, "currency": {"EUR"}}, {"act": {"ask"}, "text": {""}}, {"act": {"reject"}, "text": {" "}}, {"act": {"withdraw"}, "text": {"mine"}}} {
		status, text := m.fill(at, at+"/answers", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
		require.Contains(t, text, "That did not work.")
		if said := wrong.Get("text"); said == "right" {
			require.Contains(t, text, ">right</textarea>")
		}
	}

	// A part is granted, refused, granted again by finance, and approved by somebody else.
	m.does(at, at+"/answers", url.Values{"act": {"accept"}, "amount": {"80"}, "currency": {"USD"}, "partly": {"yes"}, "text": {"D4 was late"}}, "You have granted the amount.")
	require.NotContains(t, m.visit("/"), "waits for your answer")
	require.NotContains(t, m.visit(at), "/decision", "not for a manager")
	require.Contains(t, fin.visit("/"), "1 amount that a dispute was granted waits for your approval")
	decision := func(v *visitor, form url.Values) (int, string) {
		action := regexp.MustCompile(`action="(/adjustments/[0-9a-f-]{36}/decision)"`).FindStringSubmatch(v.visit(at))
		require.NotNil(t, action, v.id)
		form.Set("dispute", strings.TrimPrefix(at, "/disputes/"))
		return v.fill(at, action[1], form)
	}
	status, text := decision(fin, url.Values{"act": {"rejected"}, "text": {" "}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "a rejection needs a reason")
	status, text = decision(fin, url.Values{"act": {"rejected"}, "text": {"show me D4"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "The amount is rejected.")
	require.Contains(t, m.visit("/"), "1 dispute waits for your answer", "another answer is due")
	fin.does(at, at+"/answers", url.Values{"act": {"accept"}, "amount": {"90.50"}, "currency": {"USD"}, "partly": {"yes"}, "text": {"there it is"}}, "You have granted the amount.")
	require.Contains(t, fin.visit(at), "You granted this amount, so somebody else of finance decides about it.")
	require.NotContains(t, fin.visit("/"), "waits for your approval")
	adjustment := regexp.MustCompile(`/adjustments/([0-9a-f-]{36})/decision`).FindStringSubmatch(fin2.visit(at))[1]
	status, text = fin.send(http.MethodPost, "/adjustments/"+adjustment+"/decision", url.Values{"key": {"own"}, "act": {"approved"}, "dispute": {strings.TrimPrefix(at, "/disputes/")}})
	require.Equal(t, http.StatusForbidden, status, text)
	status, text = decision(fin2, url.Values{"act": {"approved"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "The amount is approved.")
	page = r1.visit(at)
	for _, says := range []string{"partly accepted", "90.50\u00a0USD", "rejected</span> Fin", "approved</span> Finn", "there it is"} {
		require.Contains(t, page, says)
	}
	require.NotContains(t, page, "Waits for:")

	// Rejected, which the inbox shows on demand.
	fin.does(other, other+"/answers", url.Values{"act": {"reject"}, "text": {"D4 is not yours"}}, "The dispute is rejected.")
	require.Contains(t, r2.visit(other), "D4 is not yours")
	require.NotContains(t, fin.visit("/disputes"), other)
	require.Regexp(t, `(?s)`+at+`.*`+other, fin.visit("/disputes?ended=yes&period=m-2026-01"))
	require.NotContains(t, fin.visit("/"), "waits for your a")
}
