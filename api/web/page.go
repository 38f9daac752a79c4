package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

//go:embed templates
var templates embed.FS

// layouts are the templates that every page shares.
var layouts = []string{"templates/layout.html", "templates/components.html"}

// readPages reads the templates: one of each page, with the shared ones.
func readPages(t texts) (map[string]*template.Template, error) {
	files, err := templates.ReadDir("templates/pages")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	shared, err := template.New("").Funcs(functions(t)).ParseFS(templates, layouts...)
	if err != nil {
		return nil, fmt.Errorf("read the layout: %w", err)
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		page, err := shared.Clone()
		if err == nil {
			page, err = page.ParseFS(templates, path.Join("templates/pages", file.Name()))
		}
		if err != nil {
			return nil, fmt.Errorf("read page %s: %w", file.Name(), err)
		}
		pages[strings.TrimSuffix(file.Name(), ".html")] = page
	}
	return pages, nil
}

// functions are what templates may call.
func functions(t texts) template.FuncMap {
	return template.FuncMap{
		"t": t.Say, "n": t.Count, "term": t.Term, "problem": t.problem,
		"money": t.Money, "percentage": t.percentage, "number": t.Number, "figure": t.figure, "amount": t.amount, "share": t.share, "date": t.Date, "period": t.period, "short": short,
		"say": func(m message) string { return t.Fill(m.Key, m.With) }, "text": text,
		"ordinal": func(i int) int { return i + 1 },
		"key":     client.NewKey, "words": t.Words, "aggregate": t.aggregate, "records": t.records, "draw": t.draw,
		"dict": func(pairs ...any) (map[string]any, error) {
			if len(pairs)%2 != 0 {
				return nil, errors.New("a name without a value")
			}
			m := map[string]any{}
			for i := 0; i < len(pairs); i += 2 {
				m[fmt.Sprint(pairs[i])] = pairs[i+1]
			}
			return m, nil
		},
	}
}

// view is what a template sees.
type view struct {
	Title   string // a key
	Names   []any  // what stands in the title, as pairs
	Me      client.Person
	Company client.Company
	Menu    []menuGroup
	Notice  string
	Problem error
	Form    url.Values // as it was sent, where it was refused
	Body    any
	Trail   trail
	name    string // of the template
	texts   texts
	zone    *time.Location
}

// Heading is what the page is called.
func (v view) Heading() (string, error) { return v.texts.Say(v.Title, v.Names...) }

// Help says what the page is for and what the visitor does there, as each of their roles; none
// where nobody has written it. Its keys are help.<page> and help.<page>.<role>.
func (v view) Help() (paragraphs []string) {
	if v.Me.Id == "" {
		return nil
	}
	keys := []string{"help." + v.name}
	for _, role := range v.Me.Roles {
		keys = append(keys, "help."+v.name+"."+role)
	}
	for _, key := range keys {
		if v.texts.Has(key) {
			paragraphs = append(paragraphs, v.texts.Get(key))
		}
	}
	return paragraphs
}

// Unseen is how much the visitor was told and has not seen.
func (v view) Unseen() int {
	if v.Me.Unseen == nil {
		return 0
	}
	return *v.Me.Unseen
}

// Moment is a time in the company's zone.
func (v view) Moment(at time.Time) string { return v.texts.Moment(at, v.zone) }

// trail is where one sees who did what to what a page is about.
type trail struct {
	Subject  string // of the audit chain; "" for none, or for those who may not see it
	Workflow string // where Temporal shows what does it; "" where that is not known
}

// trail leads from a page to the audit timeline of what it is about.
func (v *visit) trail() trail {
	if v.subject == "" || v.may(incentive.ReadAudit) == incentive.None {
		return trail{}
	}
	return trail{v.subject, v.workflowOf(v.subject)}
}

// periodSubject is what the audit chain calls a period's revision; "" before it was opened.
func periodSubject(p client.Period) string {
	if p.Revision == 0 || p.State == notOpened {
		return ""
	}
	return incentive.PeriodSubject(p.Id, p.Revision)
}

// show answers with a page. title is a text's key, with what stands in it as pairs.
func (v *visit) show(name, title string, body any, pairs ...any) error {
	shown := view{
		name:    name,
		Title:   title,
		Names:   pairs,
		Me:      v.me,
		Company: v.company,
		Menu:    v.menu(),
		Notice:  v.notice(),
		Problem: v.problem,
		Body:    body,
		Trail:   v.trail(),
		texts:   v.texts,
	}
	if v.problem != nil {
		shown.Form = v.r.PostForm
	}
	v.render(v.w, v.r, name, shown)
	return nil
}

// render writes a page with the status of its problem, if it has one.
func (s *site) render(w http.ResponseWriter, r *http.Request, name string, shown view) {
	var err error
	if shown.texts.Language == "" {
		shown.texts = s.spoken(r)
	}
	if shown.zone, err = time.LoadLocation(shown.Company.TimeZone); err != nil {
		shown.zone = time.UTC
	}
	page := s.pages[shown.texts.Language][name]
	start := "layout"
	if r.Header.Get("HX-Request") != "" && page.Lookup("part") != nil {
		start = "part"
	}
	var text bytes.Buffer
	if err := page.ExecuteTemplate(&text, start, shown); err != nil {
		s.Log.ErrorContext(r.Context(), "page failed", "page", name, "error", err)
		http.Error(w, shown.texts.Get("problem.internal"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if shown.Problem != nil {
		w.WriteHeader(statusOf(shown.Problem))
	}
	_, _ = w.Write(text.Bytes()) // who has gone reads nothing
}

// refuse answers with a page that says what is wrong.
func (v *visit) refuse(err error) {
	if statusOf(err) >= http.StatusInternalServerError {
		v.Log.ErrorContext(v.r.Context(), "page failed", "path", v.r.URL.Path, "error", err)
	}
	v.problem = err
	_ = v.show("refused", "refused.title", nil) // show has no error of its own
}

// broken is refuse for whoever is not signed in.
func (s *site) broken(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
	s.render(w, r, "refused", view{Title: "refused.title", Problem: incentive.Errorf(incentive.CodeInternal, "")})
}

// nowhere answers where there is no page.
func (v *visit) nowhere() error {
	return incentive.Errorf(incentive.CodeNotFound, "%s", v.texts.Fill("refused.nowhere", map[string]any{"path": v.r.URL.Path}))
}
