package web

import (
	"fmt"
	"strconv"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
)

// verified is a verification as a page shows it.
type verified struct {
	client.Verification
	By      string // the name of who asked
	Of      string // the name of whose statement it is; "" for everybody's
	Verdict string // under-way, proved or failed
}

func (v *visit) verified(one client.Verification, called map[string]string) verified {
	shown := verified{Verification: one, By: name(called, one.AskedBy), Verdict: "under-way"}
	if one.Person != nil {
		shown.Of = name(called, *one.Person)
	}
	switch {
	case one.EndedAt != nil && one.Proved:
		shown.Verdict = string(proof.Proved)
	case one.EndedAt != nil:
		shown.Verdict = string(proof.Failed)
	}
	return shown
}

type verificationsPage struct {
	head
	List   []verified
	Next   int64
	First  bool
	Proves bool
	Packed bool   // there is a proof of the whole period, and a key
	Key    string // the public one
	Called map[string]string
}

// verifications lists who asked for the results of a period to be proved, and asks for it.
func (v *visit) verifications() error {
	h, err := v.of("proof")
	if err != nil {
		return err
	}
	body := verificationsPage{head: h, First: true, Proves: v.may(incentive.Prove) > incentive.None && calculated(h.Period)}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	parameters := client.ListVerificationsParams{}
	if after, err := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64); err == nil {
		parameters.After, body.First = &after, false
	}
	if h.Period.Revision == 0 && v.may(incentive.ReadAudit) > incentive.None {
		return v.show("verifications", "proof.title", body, "period", v.texts.period(h.Period))
	}
	list, err := client.Read[client.Verifications](v.api.ListVerifications(v.r.Context(), h.Period.Id, &parameters))
	if err != nil {
		return err
	}
	for _, one := range list.Verifications {
		body.List = append(body.List, v.verified(one, body.Called))
		body.Packed = body.Packed || body.Proves && one.Person == nil && one.EndedAt != nil && list.EvidenceKey != nil
	}
	if list.EvidenceKey != nil {
		body.Key = *list.EvidenceKey
	}
	if list.Next != nil {
		body.Next = *list.Next
	}
	return v.show("verifications", "proof.title", body, "period", v.texts.period(h.Period))
}

// prove asks for the results of a period, or for one statement, to be proved.
func (v *visit) prove() error {
	period := v.r.PathValue("period")
	one, err := command[client.Verification](v.api.Verify(v.r.Context(), period, &client.VerifyParams{IdempotencyKey: v.key()}, client.VerificationRequest{Person: given(v.r.PostFormValue("person"))}))
	return v.done(err, fmt.Sprintf("/verifications/%d", one.Id), message{Key: "done.proof"}, (*visit).verifications)
}

type verificationPage struct {
	head
	verified
	Bar             gauge // how far it is, while statements are checked
	StatementsDone  int
	StatementsTotal int
	Called          map[string]string
}

// verification shows how far a verification is, or what it found.
func (v *visit) verification() error {
	id, err := strconv.ParseInt(v.r.PathValue("verification"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	one, err := client.Read[client.Verification](v.api.GetVerification(v.r.Context(), id))
	if err != nil {
		return err
	}
	if v.r.Header.Get("HX-Request") != "" && one.EndedAt != nil {
		v.w.Header().Set("HX-Refresh", "true") // the page is another now
		return nil
	}
	v.r.SetPathValue("period", one.Period)
	body := verificationPage{}
	if body.head, err = v.of("proof"); err != nil {
		return err
	}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	body.verified = v.verified(one, body.Called)
	if one.Total != nil && *one.Total > 0 {
		body.StatementsDone, body.StatementsTotal = *one.Done, *one.Total
		body.Bar.Filled = *one.Done * 100 / *one.Total
	}
	return v.show("verification", "verification.title", body, "number", one.Id)
}

// verificationReport hands over what a verification found.
func (v *visit) verificationReport() error {
	id, err := strconv.ParseInt(v.r.PathValue("verification"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	return v.download(client.NewGetVerificationReportRequest(within, id))
}

// evidencePack hands over the signed evidence of a period.
func (v *visit) evidencePack() error {
	return v.download(client.NewGetEvidencePackRequest(within, v.r.PathValue("period"), &client.GetEvidencePackParams{}))
}
