package web

import (
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/points"
)

// setDestination says where the visitor is to be paid.
func (v *visit) setDestination() error {
	rail, given := v.r.PostFormValue("rail"), map[string]string{}
	for _, f := range details[rail] {
		if text := v.r.PostFormValue(f.Name); text != "" || !f.Optional {
			given[f.Name] = text
		}
	}
	if rail == incentive.PointsRail { // which asks for nothing
		given[points.ToDetail] = points.Own
	}
	return v.done(v.payBy(rail, given), "/account", message{Key: "done.destination"}, (*visit).account)
}

// openAccount opens an account for the visitor at a rail where each recipient has one, pays
// them there for the share that the form names, and leads to the rail's page. One that is
// open is led to only.
func (v *visit) openAccount() error {
	opened, err := command[client.OpenedAccount](v.api.OpenAccount(v.r.Context(), v.me.Id, &client.OpenAccountParams{IdempotencyKey: v.key()}, client.AccountRequest{Rail: v.r.PostFormValue("rail")}))
	if err == nil {
		var now client.Methods
		now, err = client.Read[client.Methods](v.api.GetMethods(v.r.Context(), v.me.Id))
		if err == nil && !slices.ContainsFunc(now.Methods, func(m client.Method) bool { return m.Rail == opened.Rail && m.Masked == opened.Account }) {
			err = v.payByKey(opened.Rail, opened.Details, client.NewKey())
		}
	}
	if err != nil {
		return v.done(err, "/account", message{}, (*visit).account)
	}
	return v.accountWith("", opened.Url)
}

// payBy lets the visitor be paid by one more method, for the share of each payout that the
// form names: the first method is paid so much less. A share of the whole replaces all of them.
func (v *visit) payBy(rail string, given map[string]string) error {
	return v.payByKey(rail, given, v.key())
}

func (v *visit) payByKey(rail string, given map[string]string, key string) error {
	share, err := v.percent("share")
	if err != nil {
		return err
	}
	if share.Equal(whole) {
		_, err := command[client.Destination](v.api.PutDestination(v.r.Context(), v.me.Id, &client.PutDestinationParams{IdempotencyKey: key}, client.DestinationRequest{Rail: rail, Details: given}))
		return err
	}
	now, err := client.Read[client.Methods](v.api.GetMethods(v.r.Context(), v.me.Id))
	if err != nil {
		return err
	}
	if len(now.Methods) == 0 {
		return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("account.first-whole"))
	}
	request := client.MethodsRequest{Version: &now.Version}
	for i, m := range now.Methods {
		left, err := decimal.NewFromString(m.Share)
		if err != nil {
			return err
		}
		if i == 0 {
			if left = left.Sub(share); !left.IsPositive() {
				return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("account.first-too-small"))
			}
		}
		request.Methods = append(request.Methods, client.MethodRequest{Id: &m.Id, Share: left.String()})
	}
	request.Methods = append(request.Methods, client.MethodRequest{Rail: &rail, Details: &given, Share: share.String()})
	_, err = command[client.Methods](v.api.PutMethods(v.r.Context(), v.me.Id, &client.PutMethodsParams{IdempotencyKey: key}, request))
	return err
}

var whole = decimal.NewFromInt(1)

// percent reads a percentage of the form; what is not there is the whole.
func (v *visit) percent(name string) (decimal.Decimal, error) {
	text := v.r.PostFormValue(name)
	if text == "" {
		return whole, nil
	}
	written, is := v.texts.Decimal(text)
	share, err := incentive.ParseDecimal(written)
	if !is || err != nil || share.IsNegative() || share.Cmp(decimal.NewFromInt(100)) > 0 || share.Exponent() < -2 {
		return share, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("account.percent"))
	}
	return share.Shift(-2), nil
}

// shareMethods changes the shares of the visitor's payout methods; one without a share is
// no method any more.
func (v *visit) shareMethods() error {
	now, err := client.Read[client.Methods](v.api.GetMethods(v.r.Context(), v.me.Id))
	if err != nil {
		return err
	}
	request := client.MethodsRequest{Version: &now.Version}
	for _, m := range now.Methods {
		share, err := v.percent("share-" + decimal.NewFromInt(m.Id).String())
		if err != nil {
			return v.done(err, "/account", message{}, (*visit).account)
		}
		if share.IsPositive() {
			request.Methods = append(request.Methods, client.MethodRequest{Id: &m.Id, Share: share.String()})
		}
	}
	slices.SortStableFunc(request.Methods, func(a, b client.MethodRequest) int {
		first := decimal.NewFromInt(*a.Id).String() == v.r.PostFormValue("first")
		if second := decimal.NewFromInt(*b.Id).String() == v.r.PostFormValue("first"); first == second {
			return 0
		}
		if first {
			return -1
		}
		return 1
	})
	_, err = command[client.Methods](v.api.PutMethods(v.r.Context(), v.me.Id, &client.PutMethodsParams{IdempotencyKey: v.key()}, request))
	return v.done(err, "/account", message{Key: "done.methods"}, (*visit).account)
}

// confirmAccount says that an account of the visitor is right to which a payment could not be made.
func (v *visit) confirmAccount() error {
	if v.may(incentive.ChooseMethod) == incentive.None {
		return v.forbidden()
	}
	method, err := strconv.ParseInt(v.r.PostFormValue("method"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	_, err = command[client.Methods](v.api.ConfirmAccount(v.r.Context(), v.me.Id, method, &client.ConfirmAccountParams{IdempotencyKey: v.key()}))
	return v.done(err, "/account", message{Key: "done.account-confirmed"}, (*visit).account)
}

// percentage writes a share, such as 0.8, as the number of percent that it is.
func (t texts) percentage(share string) (string, error) {
	d, err := incentive.ParseDecimal(share)
	return t.Number(d.Shift(2).String()), err
}
