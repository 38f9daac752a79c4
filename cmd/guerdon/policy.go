package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/policy"
)

type policyCommand struct {
	Check  policyCheck  `cmd:"" help:"Check a policy file. Needs no API."`
	Schema policySchema `cmd:"" help:"Print the JSON Schema of policies, for editors. Needs no API."`
	Show   policyShow   `cmd:"" help:"Print what a calendar goes by."`
	Put    policyPut    `cmd:"" help:"Store a policy as the next version of a calendar's."`
}

type policyCheck struct {
	File string `arg:"" type:"existingfile"`
}

func (p policyCheck) Run(d *desk) error {
	text, err := os.ReadFile(p.File)
	if err != nil {
		return err
	}
	if _, err := policy.Parse(text); err != nil {
		return inFile(p.File, err)
	}
	fmt.Fprintf(d.out, "%s: the policy is good\n", p.File)
	return nil
}

type policySchema struct{}

func (policySchema) Run(d *desk) error {
	_, err := d.out.Write(policy.Schema)
	return err
}

type policyShow struct {
	Calendar string `arg:""`
}

func (p policyShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.Policy](c.GetPolicy(ctx, p.Calendar))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprint(w, answer.Document) })
}

type policyPut struct {
	Calendar string `arg:""`
	File     string `arg:"" type:"existingfile"`
}

func (p policyPut) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(p.File)
	if err != nil {
		return err
	}
	if _, err := policy.Parse(text); err != nil {
		return inFile(p.File, err)
	}
	answer, err := client.Read[client.Policy](c.PutPolicy(ctx, p.Calendar, &client.PutPolicyParams{IdempotencyKey: client.NewKey()}, client.PutPolicyJSONRequestBody{Document: string(text)}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "calendar %s goes by version %d of its policy\n", answer.Calendar, answer.Version)
	})
}
