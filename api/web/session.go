package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/api/openid"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// sessionCookie holds the secret of the token that a session is; attemptCookie what a
// browser keeps while its owner is at the OpenID provider, for as long as attemptLife.
const (
	sessionCookie = "guerdon"
	attemptCookie = "guerdon-attempt"
	attemptLife   = 10 * time.Minute
)

// sessionLife is how long one is signed in by the OpenID provider's word.
const sessionLife = 12 * time.Hour

// setCookie sets a cookie of this origin alone, for as long as lifetime; with no value it
// takes it away. Where people come by HTTPS, no other host of the domain can set it either.
func (s *site) setCookie(w http.ResponseWriter, name, value string, lifetime time.Duration) {
	c := &http.Cookie{Name: s.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode, MaxAge: int(lifetime.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (s *site) cookieName(name string) string {
	if s.HTTPS {
		return "__Host-" + name
	}
	return name
}

// cookie returns what a cookie says, "" where it is absent.
func (s *site) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// visit is one request of somebody who is signed in.
type visit struct {
	*site
	w       http.ResponseWriter
	r       *http.Request
	api     *client.Client
	texts   texts
	secret  string
	me      client.Person
	company client.Company
	problem error    // of the form that was sent; the page shows it
	subject string   // of the audit chain, which the page is about; "" for none
	known   []string // rails; nil before they were asked for
}

// railNames are the rails that there are.
func (v *visit) railNames() []string {
	if v.known == nil {
		v.known = v.Rails()
	}
	return v.known
}

// page answers a visit. Its error becomes a page that says what is wrong.
type page func(v *visit) error

// signedIn lets those through who are signed in, and sends others to sign in.
func (s *site) signedIn(answer page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{site: s, w: w, r: r, secret: s.cookie(r, sessionCookie), texts: s.spoken(r)}
		if v.secret == "" {
			s.toSignIn(w, r)
			return
		}
		var err error
		if v.api, err = v.client(); err == nil {
			v.me, err = client.Read[client.Person](v.api.GetMe(r.Context()))
		}
		if v.me.Language != nil {
			v.texts = s.texts[language.Language(*v.me.Language)]
		}
		switch code := incentive.ErrorCode(err); {
		case code == "unauthenticated":
			s.setCookie(w, sessionCookie, "", 0)
			s.toSignIn(w, r)
			return
		case code == incentive.CodeForbidden:
			err = nil // somebody without a role, who sees so
		case err == nil:
			v.company, err = client.Read[client.Company](v.api.GetCompany(r.Context()))
		}
		if err == nil {
			err = v.readForm()
		}
		if err == nil {
			err = answer(v)
		}
		if err != nil && !errors.Is(err, errSent) {
			v.refuse(err)
		}
	})
}

// largestForm is how many bytes a form may have. An upload goes to the API as it comes.
const largestForm = 4 << 20

// readForm reads what was sent, unless it is an upload.
func (v *visit) readForm() error {
	if v.r.Method != http.MethodPost || strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/") {
		return nil
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, largestForm)
	if err := v.r.ParseForm(); err != nil {
		return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
	}
	return nil
}

func (s *site) toSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?to=" + url.QueryEscape(r.URL.RequestURI())
	}
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", "/sign-in")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// local returns a path of this origin, / for anything else.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/"
	}
	return path
}

// is reports whether the visitor has one of these roles.
func (v *visit) is(roles ...incentive.Role) bool {
	return slices.ContainsFunc(v.me.Roles, func(held string) bool { return slices.Contains(roles, incentive.Role(held)) })
}

// may reports how far the rights table lets the visitor go. The API enforces it; a page
// leaves out what would be refused.
func (v *visit) may(action incentive.Action) incentive.Scope {
	roles := make([]incentive.Role, len(v.me.Roles))
	for i, role := range v.me.Roles {
		roles[i] = incentive.Role(role)
	}
	return incentive.Right(roles, action)
}

type signInGroup struct {
	Role   string
	People []client.Person
}

type signInPage struct {
	Groups []signInGroup // nil where nobody may pick a person
	OpenID bool          // at whose provider one may say who one is
	To     string
}

func (s *site) showSignIn(w http.ResponseWriter, r *http.Request) { s.renderSignIn(w, r, nil) }

func (s *site) renderSignIn(w http.ResponseWriter, r *http.Request, problem error) {
	body := signInPage{OpenID: s.OpenID != nil, To: local(r.FormValue("to"))}
	if s.SignIn != nil {
		all, err := s.SignIn.People(r.Context())
		if err != nil {
			s.broken(w, r, err)
			return
		}
		for _, role := range incentive.Roles {
			g := signInGroup{Role: string(role)}
			for _, p := range all {
				if slices.Contains(p.Roles, string(role)) {
					g.People = append(g.People, p)
				}
			}
			if len(g.People) > 0 {
				body.Groups = append(body.Groups, g)
			}
		}
	}
	s.render(w, r, "sign-in", view{Title: "sign-in.title", Problem: problem, Body: body})
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	if s.SignIn == nil {
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<14)
	secret, err := s.SignIn.Token(r.Context(), r.PostFormValue("person"))
	s.signedInAs(w, r, secret, s.SignIn.Lifetime, r.PostFormValue("to"), err)
}

// attempt is a sign-in under way, and where it leads.
type attempt struct {
	openid.Attempt
	To string `json:"to"`
}

// beginSignIn sends the browser to the OpenID provider.
func (s *site) beginSignIn(w http.ResponseWriter, r *http.Request) {
	if s.OpenID == nil {
		http.NotFound(w, r)
		return
	}
	address, kept := s.OpenID.Begin()
	text, _ := json.Marshal(attempt{kept, local(r.FormValue("to"))}) // texts alone
	s.setCookie(w, attemptCookie, base64.RawURLEncoding.EncodeToString(text), attemptLife)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// finishSignIn takes the browser back from the OpenID provider. An attempt is good for one
// answer, whatever the answer is.
func (s *site) finishSignIn(w http.ResponseWriter, r *http.Request) {
	if s.OpenID == nil {
		http.NotFound(w, r)
		return
	}
	var kept attempt
	text, err := base64.RawURLEncoding.DecodeString(s.cookie(r, attemptCookie))
	if err != nil || json.Unmarshal(text, &kept) != nil {
		kept = attempt{} // which no answer fits
	}
	s.setCookie(w, attemptCookie, "", 0)
	email, err := s.OpenID.Finish(r.Context(), r.URL.Query(), kept.Attempt)
	var id, secret string
	if err == nil {
		id, err = s.Sessions.ByEmail(r.Context(), email)
	}
	if err == nil {
		secret, err = s.Sessions.NewSession(r.Context(), id, sessionLife)
	}
	s.signedInAs(w, r, secret, sessionLife, kept.To, err)
}

// signedInAs begins a session, or says why there is none.
func (s *site) signedInAs(w http.ResponseWriter, r *http.Request, secret string, lifetime time.Duration, to string, err error) {
	var known *incentive.Error
	switch {
	case errors.As(err, &known):
		s.renderSignIn(w, r, err)
	case err != nil:
		s.broken(w, r, err)
	default:
		s.setCookie(w, sessionCookie, secret, lifetime)
		http.Redirect(w, r, local(to), http.StatusSeeOther)
	}
}

// bounded lets nobody try to sign in faster than a person would.
func (s *site) bounded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		if !s.signIns.Allow(host) {
			w.Header().Set("Retry-After", "1")
			s.render(w, r, "refused", view{Title: "refused.title", Problem: incentive.Errorf(api.CodeTooMany, "%s", s.spoken(r).Get("refused.too-many"))})
			return
		}
		next(w, r)
	}
}

// signOut ends the session, or with everywhere every token of the visitor's.
func (v *visit) signOut() error {
	end := func(ctx context.Context) error { return v.Sessions.EndToken(ctx, v.secret) }
	if v.r.PostFormValue("everywhere") != "" {
		end = func(ctx context.Context) error { return v.Sessions.EndTokens(ctx, v.me.Id) }
	}
	if err := end(v.r.Context()); err != nil {
		return err
	}
	v.setCookie(v.w, sessionCookie, "", 0)
	http.Redirect(v.w, v.r, "/sign-in", http.StatusSeeOther)
	return nil
}
