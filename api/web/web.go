// Package web holds the pages that people use. It is a client of the JSON API inside the
// same process: each page calls the API with the token of whoever is signed in, so that
// rights, validation and idempotency are the API's alone.
package web

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/api/openid"
	written "github.com/guerdon/guerdon/api/web/texts"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

//go:embed static
var static embed.FS

// Config is what the pages need.
type Config struct {
	API      http.Handler // the JSON API, which is called and never bypassed
	Sessions Sessions
	OpenID   *openid.Provider // nil where there is none
	SignIn   *PickAPerson     // nil where nobody may say who they are
	HTTPS    bool             // that is how people come, whatever a proxy makes of it
	Rails    func() []string  // by which a person may choose to be paid, now
	Temporal string           // where Temporal's own interface shows the workflows of this installation, …/workflows; "" for nowhere
	Log      *slog.Logger
}

// Workflows is where Temporal's interface at an address shows the workflows of a namespace.
func Workflows(address, namespace string) string {
	return strings.TrimSuffix(address, "/") + "/namespaces/" + url.PathEscape(namespace) + "/workflows"
}

// Sessions begins and ends sessions. *store.Store is one.
type Sessions interface {
	// ByEmail finds the one participant with an e-mail address.
	ByEmail(ctx context.Context, email string) (participantID string, err error)
	// NewSession makes a token for a participant and returns its secret.
	NewSession(ctx context.Context, participantID string, lifetime time.Duration) (secret string, err error)
	// EndToken makes a token worthless; one that is unknown is no error.
	EndToken(ctx context.Context, secret string) error
	// EndTokens makes every token of a participant worthless.
	EndTokens(ctx context.Context, participantID string) error
}

// PickAPerson lets whoever comes say who they are.
type PickAPerson struct {
	// Token makes a token for a participant and returns its secret.
	Token func(ctx context.Context, participantID string) (secret string, err error)
	// People lists whom one may pick.
	People func(ctx context.Context) ([]client.Person, error)
	// Lifetime of such a token.
	Lifetime time.Duration
}

// site answers the pages.
type site struct {
	Config
	texts map[language.Language]texts
	pages map[language.Language]map[string]*template.Template
	names names

	signIns *api.Limiter // by where they come from
}

// New returns the pages. They belong at / of the API's own origin.
func New(config Config) (http.Handler, error) {
	s := &site{Config: config, signIns: api.NewLimiter(10, 100)}
	all, err := written.Read()
	if err != nil {
		return nil, err
	}
	s.texts, s.pages = map[language.Language]texts{}, map[language.Language]map[string]*template.Template{}
	for l, t := range all {
		s.texts[l] = texts{t}
		if s.pages[l], err = readPages(s.texts[l]); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	for pattern, h := range s.routes() {
		mux.Handle(pattern, s.signedIn(h))
	}
	mux.HandleFunc("GET /sign-in", s.showSignIn)
	mux.HandleFunc("POST /sign-in", s.bounded(s.signIn))
	mux.HandleFunc("GET /sign-in/begin", s.bounded(s.beginSignIn))
	mux.HandleFunc("GET "+openid.ReturnPath, s.bounded(s.finishSignIn))
	mux.Handle("GET /static/", kept(static, http.FileServerFS(static)))
	return s.guarded(http.NewCrossOriginProtection().Handler(mux)), nil
}

// spoken are the texts of the language that the visitor's browser asks for.
func (s *site) spoken(r *http.Request) texts {
	return s.texts[language.Accepted(r.Header.Get("Accept-Language"))]
}

// routes are the pages of whoever is signed in.
func (s *site) routes() map[string]page {
	return map[string]page{
		"GET /":               (*visit).nowhere,
		"GET /{$}":            (*visit).home,
		"GET /components":     (*visit).components,
		"GET /commands/{key}": (*visit).command,

		"GET /account":                 (*visit).account,
		"POST /account":                (*visit).setDestination,
		"POST /account/methods":        (*visit).shareMethods,
		"POST /account/accounts":       (*visit).openAccount,
		"POST /account/confirmation":   (*visit).confirmAccount,
		"POST /account/settings":       (*visit).setSettings,
		"GET /notifications":           (*visit).notifications,
		"POST /notifications":          (*visit).seeNotifications,
		"GET /rewards":                 (*visit).rewardsToChoose,
		"POST /rewards":                (*visit).chooseReward,
		"GET /points":                  (*visit).points,
		"POST /points":                 (*visit).redeemPoints,
		"GET /redemptions":             (*visit).redemptions,
		"POST /redemptions":            (*visit).giveBackPoints,
		"POST /account/tokens":         (*visit).makeToken,
		"POST /account/tokens/{token}": (*visit).revokeToken,
		"POST /sign-out":               (*visit).signOut,

		"GET /live":          (*visit).live,
		"POST /live":         (*visit).whatIf,
		"GET /live/events":   (*visit).news,
		"GET /team":          (*visit).team,
		"GET /team/{person}": (*visit).member,
		"GET /statements":    (*visit).ownStatements,
		"GET /payouts":       (*visit).ownPayouts,

		"GET /pipeline":  (*visit).pipeline,
		"POST /pipeline": (*visit).ifClosed,

		"GET /deals":                          (*visit).enteredDeals,
		"POST /deals":                         (*visit).enterDeal,
		"POST /deals/decisions":               (*visit).decideDeals,
		"GET /deals/{deal}":                   (*visit).enteredDeal,
		"POST /deals/{deal}":                  (*visit).changeDeal,
		"GET /deals/{deal}/files/{deal_file}": (*visit).dealFile,

		"GET /objectives":  (*visit).objectives,
		"POST /objectives": (*visit).setObjective,

		"GET /disputes":                            (*visit).disputes,
		"POST /disputes":                           (*visit).raise,
		"GET /disputes/new":                        (*visit).newDispute,
		"GET /disputes/{dispute}":                  (*visit).dispute,
		"POST /disputes/{dispute}/replies":         (*visit).replyToDispute,
		"POST /disputes/{dispute}/answers":         (*visit).answerDispute,
		"POST /disputes/{dispute}/files":           (*visit).addEvidence,
		"GET /disputes/{dispute}/files/{evidence}": (*visit).evidence,
		"GET /disputes/{dispute}/changes":          (*visit).disputeChanges,

		"GET /adjustments":                        (*visit).adjustments,
		"POST /adjustments":                       (*visit).enterAdjustment,
		"POST /adjustments/{adjustment}/decision": (*visit).decideAdjustment,

		"GET /approvals":    (*visit).queues,
		"GET /delegations":  (*visit).delegations,
		"POST /delegations": (*visit).delegate,

		"GET /cockpit":        (*visit).cockpit,
		"POST /cockpit":       (*visit).remind,
		"GET /cockpit/events": (*visit).acted,

		"GET /periods":                                      (*visit).periods,
		"GET /periods/{period}":                             (*visit).period,
		"POST /periods/{period}":                            (*visit).actOnPeriod,
		"GET /periods/{period}/statements":                  (*visit).statements,
		"GET /periods/{period}/statements/{person}":         (*visit).statement,
		"GET /periods/{period}/approvals":                   (*visit).approvals,
		"POST /periods/{period}/approvals":                  (*visit).decide,
		"GET /periods/{period}/runs":                        (*visit).runs,
		"GET /periods/{period}/changes":                     (*visit).changes,
		"POST /periods/{period}/changes":                    (*visit).recalculate,
		"GET /periods/{period}/waiting":                     (*visit).waiting,
		"POST /periods/{period}/waiting":                    (*visit).reassign,
		"GET /periods/{period}/payouts":                     (*visit).payouts,
		"POST /periods/{period}/payouts":                    (*visit).decidePayout,
		"GET /periods/{period}/release":                     (*visit).payoutList,
		"POST /periods/{period}/release":                    (*visit).release,
		"GET /periods/{period}/files":                       (*visit).files,
		"POST /periods/{period}/files":                      (*visit).confirmFile,
		"POST /periods/{period}/files/again":                (*visit).payAgain,
		"GET /periods/{period}/rehearsal":                   (*visit).rehearsal,
		"GET /periods/{period}/rehearsal/{rail}/{currency}": (*visit).rehearsedFile,
		"GET /payment-files/{file}":                         (*visit).paymentFile,

		"GET /periods/{period}/proof":                (*visit).verifications,
		"POST /periods/{period}/proof":               (*visit).prove,
		"GET /verifications/{verification}":          (*visit).verification,
		"GET /verifications/{verification}/document": (*visit).verificationDocument,
		"GET /verifications/{verification}/report":   (*visit).verificationReport,

		"GET /periods/{period}/statements/{person}/document":            (*visit).statementDocument,
		"GET /periods/{period}/statements/{person}/certificates/{line}": (*visit).certificate,
		"GET /payouts/{payout}/document":                                (*visit).payoutDocument,

		"GET /periods/{period}/samples":  (*visit).samples,
		"POST /periods/{period}/samples": (*visit).drawSample,
		"GET /samples/{sample}":          (*visit).sample,
		"POST /samples/{sample}":         (*visit).remarkSample,
		"GET /duties":                    (*visit).duties,

		"GET /duties/document": (*visit).dutiesDocument,
		"GET /duties/file":     (*visit).dutiesFile,

		"GET /periods/{period}/evidence-pack": (*visit).evidencePack,

		"GET /exceptions":  (*visit).exceptions,
		"POST /exceptions": (*visit).decideException,

		"GET /bank-accounts":   (*visit).bankAccounts,
		"POST /bank-accounts":  (*visit).decideBankAccount,
		"GET /prenotes/{file}": (*visit).prenotes,

		"GET /periods/{period}/uncredited":      (*visit).uncredited,
		"POST /periods/{period}/approvals/file": (*visit).decideByFile,

		"GET /ledger":                            (*visit).ledger,
		"GET /reconciliations":                   (*visit).reconciliations,
		"POST /reconciliations":                  (*visit).compare,
		"POST /sending":                          (*visit).clearSending,
		"GET /reconciliations/{reconciliation}":  (*visit).reconciliation,
		"POST /reconciliations/{reconciliation}": (*visit).explain,

		"GET /exports":                (*visit).exports,
		"GET /exports/payroll":        (*visit).payrollFile,
		"GET /exports/journal":        (*visit).journalFile,
		"GET /exports/register":       (*visit).registerFile,
		"GET /exports/year-end":       (*visit).yearEndFile,
		"GET /exports/contractors":    (*visit).contractorsFile,
		"GET /exports/contract-costs": (*visit).contractCostsFile,
		"GET /exports/company":        (*visit).everything,

		"GET /targets":                     (*visit).targets,
		"POST /targets":                    (*visit).proposeTargets,
		"GET /targets/{proposal}":          (*visit).target,
		"POST /targets/{proposal}/figures": (*visit).changeTarget,
		"POST /targets/{proposal}/outcome": (*visit).endTargets,

		"GET /territories":             (*visit).territories,
		"GET /territories/{territory}": (*visit).territory,
		"GET /teams/{team}":            (*visit).salesTeam,

		"GET /audit": (*visit).audit,

		"GET /tour":      (*visit).tour,
		"GET /settings":  (*visit).settings,
		"POST /settings": (*visit).setCompany,

		"POST /settings/payment-files": (*visit).setFileSettings,

		"GET /rails":         (*visit).rails,
		"GET /rails/{rail}":  (*visit).rail,
		"POST /rails/{rail}": (*visit).limitRail,
		"GET /tokens":        (*visit).tokens,
		"POST /tokens":       (*visit).endToken,

		"GET /people": (*visit).people,

		"POST /people":                      (*visit).newPerson,
		"GET /people/{person}":              (*visit).person,
		"POST /people/{person}":             (*visit).changePerson,
		"GET /hierarchy":                    (*visit).hierarchy,
		"GET /calendars":                    (*visit).calendars,
		"POST /calendars":                   (*visit).changeCalendars,
		"GET /calendars/{calendar}/policy":  (*visit).policy,
		"POST /calendars/{calendar}/policy": (*visit).putPolicy,
		"GET /quotas":                       (*visit).quotas,
		"POST /quotas":                      (*visit).setQuota,
		"POST /quotas/file":                 (*visit).importQuotas,

		"GET /reliefs":  (*visit).reliefs,
		"POST /reliefs": (*visit).setRelief,

		"POST /reliefs/proposals":                   (*visit).proposeRelief,
		"POST /reliefs/proposals/{relief_proposal}": (*visit).decideRelief,

		"GET /plans":                            (*visit).plans,
		"POST /plans":                           (*visit).putPlan,
		"GET /plans/{plan}/versions/{version}":  (*visit).plan,
		"POST /plans/{plan}/versions/{version}": (*visit).acceptPlan,
		"GET /plan-drafts":                      (*visit).drafts,
		"POST /plan-drafts":                     (*visit).beginDraft,
		"GET /plan-drafts/{draft}":              (*visit).draft,
		"POST /plan-drafts/{draft}":             (*visit).changeDraft,

		"GET /simulation":  (*visit).trial,
		"POST /simulation": (*visit).simulate,

		"GET /imports":           (*visit).imports,
		"POST /imports":          (*visit).importFiles,
		"GET /imports/{import}":  (*visit).importResult,
		"POST /imports/{import}": (*visit).mendImport,
	}
}

// contentPolicy allows what this origin serves, and nothing written into a page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded sets the headers of every answer and turns a panic into a page.
func (s *site) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if reason := recover(); reason == http.ErrAbortHandler {
				panic(reason)
			} else if reason != nil {
				s.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "reason", reason, "stack", string(debug.Stack()))
				s.broken(w, r, fmt.Errorf("panic: %v", reason))
			}
		}()
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.HTTPS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// kept lets browsers keep the files, and has them ask whether theirs are still those of this version.
func kept(files fs.FS, next http.Handler) http.Handler {
	version := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(version, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("read the embedded files: %v", err)) // cannot happen: they are in the program
	}
	tag := fmt.Sprintf(`"%x"`, version.Sum(nil)[:16])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		next.ServeHTTP(w, r)
	})
}

// statuses of the codes that a page answers with; what is absent is 409.
var statuses = map[incentive.Code]int{
	incentive.CodeInvalid: http.StatusBadRequest, "reason-missing": http.StatusBadRequest, "unauthenticated": http.StatusUnauthorized,
	incentive.CodeForbidden: http.StatusForbidden, "own-pay": http.StatusForbidden, incentive.CodeOwnDecision: http.StatusForbidden, "preparer": http.StatusForbidden, "approver": http.StatusForbidden, "not-delegated": http.StatusForbidden,
	incentive.CodeNotFound: http.StatusNotFound, "file-unknown": http.StatusNotFound,
	"invalid-document": http.StatusUnprocessableEntity, "unreadable-file": http.StatusUnprocessableEntity, "record-refused": http.StatusUnprocessableEntity, incentive.CodeEvidenceRefused: http.StatusUnprocessableEntity, "idempotency-key-missing": http.StatusBadRequest,
	"destination-invalid": http.StatusUnprocessableEntity, "reward-unknown": http.StatusUnprocessableEntity, "points-too-few": http.StatusUnprocessableEntity, "redemption-unknown": http.StatusNotFound, "shares-wrong": http.StatusUnprocessableEntity, "payout-method-not-allowed": http.StatusUnprocessableEntity, "rail-unknown": http.StatusUnprocessableEntity, "idempotency-key-reused": http.StatusUnprocessableEntity,
	"too-large": http.StatusRequestEntityTooLarge, incentive.CodeInternal: http.StatusInternalServerError, client.CodeUnreachable: http.StatusBadGateway,
	"try-again": http.StatusServiceUnavailable, api.CodeTooMany: http.StatusTooManyRequests,
	openid.CodeRefused: http.StatusForbidden, "nobody-here": http.StatusForbidden,
}

func statusOf(err error) int {
	if status, known := statuses[incentive.ErrorCode(err)]; known {
		return status
	}
	return http.StatusConflict
}
