package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type methods struct {
	Person string            `arg:"" optional:"" help:"Yourself when absent."`
	Share  map[int64]string  `name:"share" help:"The share of each payout of a method that there is, by its number, such as --share 3=80; what is not named is no method any more." placeholder:"METHOD=PERCENT"`
	First  int64             `help:"The method that is paid what is too small for another one." placeholder:"METHOD"`
	Rail   string            `help:"The rail of one more method, such as payment-file or stripe."`
	Detail map[string]string `name:"detail" help:"What its rail needs, such as --detail account=DE89… --detail holder=…"`
	Takes  string            `help:"Its share of each payout, in percent." placeholder:"PERCENT"`

	Confirm int64 `help:"Say that the account of this method is right, although a payment to it came back: payouts go there again." placeholder:"METHOD"`
}

// Run shows the payout methods, or shares what is paid between them.
func (t methods) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if t.Person == "" {
		self, err := client.Read[client.Person](c.GetMe(ctx))
		if err != nil {
			return err
		}
		t.Person = self.Id
	}
	answer, err := client.Read[client.Methods](c.GetMethods(ctx, t.Person))
	if err == nil && t.Confirm != 0 {
		answer, err = client.Read[client.Methods](c.ConfirmAccount(ctx, t.Person, t.Confirm, &client.ConfirmAccountParams{IdempotencyKey: client.NewKey()}))
	}
	if err == nil && (len(t.Share) > 0 || t.Rail != "") {
		request := client.MethodsRequest{Version: &answer.Version}
		numbers := slices.Sorted(maps.Keys(t.Share))
		if at := slices.Index(numbers, t.First); at > 0 {
			numbers = slices.Concat([]int64{t.First}, numbers[:at], numbers[at+1:])
		}
		for _, number := range numbers {
			share, err := shareOf(t.Share[number])
			if err != nil {
				return err
			}
			request.Methods = append(request.Methods, client.MethodRequest{Id: &number, Share: share})
		}
		if t.Rail != "" {
			share, err := shareOf(t.Takes)
			if err != nil {
				return err
			}
			request.Methods = append(request.Methods, client.MethodRequest{Rail: &t.Rail, Details: &t.Detail, Share: share})
		}
		answer, err = client.Read[client.Methods](c.PutMethods(ctx, t.Person, &client.PutMethodsParams{IdempotencyKey: client.NewKey()}, request))
	}
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, m := range answer.Methods {
			row(w, strconv.FormatInt(m.Id, 10), m.Share, m.Rail, m.Masked, value(m.Standing), value(m.RefusedCode))
		}
	})
}

// shareOf reads a number of percent.
func shareOf(percent string) (string, error) {
	share, err := incentive.ParseDecimal(cmp.Or(percent, "100"))
	if err != nil {
		return "", err
	}
	return share.Shift(-2).String(), nil
}
