package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// codeNoPages is the code of an installation that does not say where its pages are.
const codeNoPages incentive.Code = "settings-missing"

// GetDestination returns where a participant is paid, masked.
func (s *server) GetDestination(ctx context.Context, request spec.GetDestinationRequestObject) (spec.GetDestinationResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	d, err := s.Store.LatestDestination(ctx, request.Person)
	if err != nil {
		return nil, err
	}
	return spec.GetDestination200JSONResponse{Person: d.ParticipantID, Rail: d.Rail, Version: d.Version, Masked: d.Masked}, nil
}

// PutDestination says where a participant is to be paid, all of it.
func (s *server) PutDestination(ctx context.Context, request spec.PutDestinationRequestObject) (spec.PutDestinationResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	d, err := s.destinationOf(ctx, request.Person, request.Body.Rail, request.Body.Details)
	if err != nil {
		return nil, err
	}
	if d, err = s.Store.SetDestination(ctx, personOf(ctx).ID, d); err != nil {
		return nil, err
	}
	if _, err := s.methodsOf(ctx, request.Person); err != nil { // asks how its account stands
		return nil, err
	}
	if err := s.goOn(ctx, request.Person); err != nil {
		return nil, err
	}
	return spec.PutDestination200JSONResponse{Person: d.ParticipantID, Rail: d.Rail, Version: d.Version, Masked: d.Masked}, err
}

// destinationOf checks where a participant wants to be paid, and whether they may.
func (s *server) destinationOf(ctx context.Context, person, railName string, details map[string]string) (store.Destination, error) {
	rail, err := s.Rails.Rail(railName)
	if err != nil {
		return store.Destination{}, err
	}
	clean, masked, err := rail.ValidateDestination(payments.Destination(details))
	if err != nil {
		return store.Destination{}, err
	}
	if err := s.allow(ctx, person, rail.Name()); err != nil {
		return store.Destination{}, err
	}
	d := store.Destination{ParticipantID: person, Rail: rail.Name(), Details: clean, Masked: masked, Account: clean.Account(), Try: payments.Tries(rail)}
	if onboarder, is := rail.(payments.Onboarder); is {
		d.AtRail = onboarder.AccountOf(clean)
	}
	return d, nil
}

// allow refuses a rail by which a participant may not be paid.
func (s *server) allow(ctx context.Context, person, rail string) error {
	allowed, err := s.Store.AllowedRails(ctx, person, s.Rails.Names())
	if err != nil || slices.Contains(allowed, rail) {
		return err
	}
	by := "none of the rails that are here"
	if len(allowed) > 0 {
		by = strings.Join(allowed, ", ")
	}
	return incentive.Errorf(store.CodeMethodNotAllowed, "the policy does not let %s be paid by %s; it lets them be paid by %s", person, rail, by)
}

// GetMethods returns the payout methods of a participant.
func (s *server) GetMethods(ctx context.Context, request spec.GetMethodsRequestObject) (spec.GetMethodsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	answer, err := s.methodsOf(ctx, request.Person)
	return spec.GetMethods200JSONResponse(answer), err
}

// follow asks a rail how accounts stand that were not ready when it was asked last. One that
// does not answer is asked again the next time.
func (s *server) follow(ctx context.Context, set []store.Destination) error {
	for i, d := range set {
		rail, err := s.Rails.Rail(d.Rail)
		onboarder, is := rail.(payments.Onboarder)
		if err != nil || !is || d.Standing == "" || d.Standing == string(payments.AccountReady) {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, askTime)
		standing, err := onboarder.Standing(asking, d.AtRail)
		cancel()
		if err != nil {
			s.Log.WarnContext(ctx, "an account could not be looked up", "rail", d.Rail, "error", err)
			continue
		}
		set[i].Standing = string(standing)
		tell, err := s.Store.NoteStanding(ctx, d.Rail, d.AtRail, string(standing))
		if err != nil {
			return err
		}
		for _, of := range tell {
			if err := workflows.TellDisbursement(ctx, s.Client, of.PeriodID, of.Revision, of.Rail); err != nil {
				return err
			}
		}
	}
	return nil
}

// askTime is how long somebody who looks at their methods waits for a rail.
const askTime = 5 * time.Second

// OpenAccount opens an account for a participant at a rail, and leads to the rail's page.
func (s *server) OpenAccount(ctx context.Context, request spec.OpenAccountRequestObject) (spec.OpenAccountResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	rail, err := s.Rails.Rail(request.Body.Rail)
	if err != nil {
		return nil, err
	}
	onboarder, is := rail.(payments.Onboarder)
	if !is {
		return nil, incentive.Errorf(incentive.CodeInvalid, "nobody has an account of their own at %s: name where to be paid instead", rail.Name())
	}
	if s.Pages == "" {
		return nil, incentive.Errorf(codeNoPages, "%s has to lead back to the pages: set GUERDON_ADDRESS", rail.Name())
	}
	if err := s.allow(ctx, request.Person, rail.Name()); err != nil {
		return nil, err
	}
	a, err := s.Store.BeginRailAccount(ctx, personOf(ctx).ID, request.Person, rail.Name())
	if err != nil {
		return nil, err
	}
	if a.Account == "" {
		who, err := s.Store.Recipient(ctx, request.Person, s.today())
		if err != nil {
			return nil, err
		}
		recipient := payments.Recipient{ID: request.Person, Email: who.Email, Country: who.Country, Company: who.Kind == incentive.Company}
		if a.Account, err = onboarder.OpenAccount(ctx, recipient, a.Key); err != nil {
			return nil, err
		}
		if err := s.Store.KeepRailAccount(ctx, a.ID, a.Account); err != nil {
			return nil, err
		}
	}
	details := onboarder.DestinationOf(a.Account)
	_, masked, err := rail.ValidateDestination(details)
	if err != nil {
		return nil, err
	}
	back := strings.TrimSuffix(s.Pages, "/") + "/account"
	url, err := onboarder.OnboardingLink(ctx, a.Account, back, back)
	return spec.OpenAccount200JSONResponse{Rail: rail.Name(), Account: masked, Details: details, Url: url}, err
}

func (s *server) methodsOf(ctx context.Context, person string) (spec.Methods, error) {
	answer := spec.Methods{Person: person, Methods: []spec.Method{}, Rails: []string{}, Onboarding: []string{}}
	set, err := s.Store.Methods(ctx, person)
	if err != nil {
		return answer, err
	}
	if err := s.follow(ctx, set); err != nil {
		return answer, err
	}
	for _, d := range set {
		answer.Version = d.Version
		if d.Standing == "" && d.Refused != "" {
			d.Standing = store.RefusedAccount
		}
		answer.Methods = append(answer.Methods, spec.Method{
			Id:          d.ID,
			Rail:        d.Rail,
			Masked:      d.Masked,
			Share:       d.Share.String(),
			Standing:    orNil(d.Standing),
			RefusedCode: orNil(d.Refused),
		})
	}
	allowed, err := s.Store.AllowedRails(ctx, person, s.Rails.Names())
	answer.Rails = append(answer.Rails, allowed...)
	for _, name := range allowed {
		rail, _ := s.Rails.Rail(name)
		if _, is := rail.(payments.Onboarder); is && s.Pages != "" {
			answer.Onboarding = append(answer.Onboarding, name)
		}
	}
	return answer, err
}

// PutMethods shares what a participant is paid between payout methods.
func (s *server) PutMethods(ctx context.Context, request spec.PutMethodsRequestObject) (spec.PutMethodsResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	var set []store.Destination
	for _, m := range request.Body.Methods {
		share, err := decimal.NewFromString(m.Share)
		if err != nil {
			return nil, incentive.Errorf(store.CodeSharesWrong, "%q is not a share: write one such as 0.8", m.Share)
		}
		d := store.Destination{ID: value(m.Id)}
		switch named := value(m.Rail) != "" || m.Details != nil; {
		case named == (d.ID != 0):
			return nil, incentive.Errorf(incentive.CodeInvalid, "a payout method is named by its id, or by a rail with details")
		case named:
			if d, err = s.destinationOf(ctx, request.Person, value(m.Rail), value(m.Details)); err != nil {
				return nil, err
			}
		}
		d.Share = share
		set = append(set, d)
	}
	seen := store.AnyVersion
	if request.Body.Version != nil {
		seen = *request.Body.Version
	}
	if _, err := s.Store.SetMethods(ctx, personOf(ctx).ID, request.Person, seen, set); err != nil {
		return nil, err
	}
	if err := s.goOn(ctx, request.Person); err != nil {
		return nil, err
	}
	answer, err := s.methodsOf(ctx, request.Person)
	return spec.PutMethods200JSONResponse(answer), err
}

// ConfirmAccount lets payments go again to an account that was refused, as its owner says that it is right.
func (s *server) ConfirmAccount(ctx context.Context, request spec.ConfirmAccountRequestObject) (spec.ConfirmAccountResponseObject, error) {
	if err := s.reach(ctx, request.Person); err != nil {
		return nil, err
	}
	if err := s.Store.ConfirmAccount(ctx, personOf(ctx).ID, request.Person, request.Method); err != nil {
		return nil, err
	}
	if err := s.goOn(ctx, request.Person); err != nil {
		return nil, err
	}
	answer, err := s.methodsOf(ctx, request.Person)
	return spec.ConfirmAccount200JSONResponse(answer), err
}

// goOn tells the disbursements that have something to send to a participant, which may have been held for an
// account that they have named again.
func (s *server) goOn(ctx context.Context, person string) error {
	disbursements, err := s.Store.DisbursementsOf(ctx, person)
	if err != nil {
		return err
	}
	for _, of := range disbursements {
		if err := workflows.TellDisbursement(ctx, s.Client, of.PeriodID, of.Revision, of.Rail); err != nil {
			return err
		}
	}
	return nil
}
