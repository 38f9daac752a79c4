// Command guerdon is the production binary: the servers, and a client of the API for
// people who like a terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/guerdon/guerdon/incentive"
)

type commands struct {
	API    string `name:"api-url" env:"GUERDON_API" default:"http://localhost:8080" help:"Where the API is."`
	Token  string `env:"GUERDON_TOKEN" placeholder:"SECRET" help:"Your API token."`
	As     string `placeholder:"PERSON" help:"Use the session of this person, made by sign-in."`
	AsJSON bool   `name:"json" help:"Print the API's answers as JSON."`

	SignIn      signIn      `cmd:"" help:"Sign in to a local installation as a person of the sample company." group:"people"`
	Me          me          `cmd:"" help:"Who you are." group:"people"`
	People      people      `cmd:"" help:"List the participants with their roles." group:"people"`
	Roles       roles       `cmd:"" help:"Give a participant exactly these roles." group:"people"`
	Token_      token       `cmd:"" name:"token" help:"Make an API token for a participant." group:"people"`
	Tokens      tokens      `cmd:"" help:"List the tokens of everybody or of a participant, or revoke one." group:"people"`
	Company     company     `cmd:"" help:"Show the company, or name it and its time zone." group:"people"`
	Reward      reward      `cmd:"" help:"List the rewards to be paid by, or choose one." group:"people"`
	Destination destination `cmd:"" help:"Show where somebody is paid, or say it: all of it." group:"people"`
	Methods     methods     `cmd:"" help:"Show by which methods somebody is paid, or share each payout between several." group:"people"`

	Import importFiles   `cmd:"" help:"Read files through a mapping." group:"data"`
	Plan   planCommand   `cmd:"" help:"Check, store and list plans." group:"data"`
	Policy policyCommand `cmd:"" help:"Check, store and show what a calendar goes by: approvals, disputes." group:"data"`

	Periods   periods   `cmd:"" help:"List the periods." group:"period"`
	Period    period    `cmd:"" help:"Open a period, look at it, move it on." group:"period"`
	Statement statement `cmd:"" help:"List statements, or show one with the reason for every cent." group:"period"`
	Estimate  estimate  `cmd:"" help:"List what statements of an open period come to as things stand, or show one." group:"period"`
	WhatIf    whatIf    `cmd:"" help:"What somebody would earn with some deals closed." group:"period"`
	Approvals approvals `cmd:"" help:"List what waits for approval." group:"period"`
	Approve   approve   `cmd:"" help:"Approve statements: those of the people named, or all that wait for you." group:"period"`
	Reject    reject    `cmd:"" help:"Reject the statements of the people named: they go to finance." group:"period"`
	Return    giveBack  `cmd:"" help:"Return the statements of the people named to whoever approved them before you." group:"period"`
	Resubmit  resubmit  `cmd:"" help:"Give rejected statements that are right out again, as finance." group:"period"`
	Queues    queues    `cmd:"" help:"List who is waited for in a period." group:"period"`
	Reassign  reassign  `cmd:"" help:"Move what waits for somebody to another approver." group:"period"`

	Delegations delegations `cmd:"" help:"List who approves for whom." group:"period"`
	Delegate    delegate    `cmd:"" help:"Let somebody approve for you for some days, or end that." group:"period"`

	Export      export          `cmd:"" help:"Write to files: everything of the company, a statement with its proof, what payroll and accounting take over." group:"data"`
	Template    templateCommand `cmd:"" help:"Check, store and show what chooses the columns of files for payroll and accounting." group:"data"`
	Disputes    disputes        `cmd:"" help:"List disputes." group:"period"`
	Dispute     dispute         `cmd:"" help:"Raise a dispute about your pay, look at one, answer one." group:"period"`
	Adjustments adjustments     `cmd:"" help:"List adjustments." group:"period"`
	Adjust      adjust          `cmd:"" help:"Enter an amount for a participant, which somebody else approves." group:"period"`
	Adjustment  adjustment      `cmd:"" help:"Approve or reject an adjustment." group:"period"`

	Opportunities opportunities `cmd:"" help:"List the open opportunities of somebody, or of all that you may see." group:"period"`
	Pipeline      pipeline      `cmd:"" help:"What somebody's open opportunities would bring in an open period." group:"period"`

	Deals deals       `cmd:"" help:"List deals that people entered themselves." group:"period"`
	Deal  dealCommand `cmd:"" help:"Enter a deal that no source system knows, or decide about those of others." group:"period"`

	Objectives objectives `cmd:"" help:"List the manual objectives of a period, with their scores." group:"period"`
	Objective  objective  `cmd:"" help:"Set, score or correct a manual objective of somebody, until the period is locked." group:"period"`

	Territories    territories    `cmd:"" help:"List territories, or show one with its members and quotas." group:"people"`
	Targets        targets        `cmd:"" help:"List proposals of quotas, or show one with its figures." group:"people"`
	PublishTargets publishTargets `cmd:"" help:"Make the figures of a proposal quotas, all together, or withdraw it." group:"people"`

	Reliefs reliefs `cmd:"" help:"List what of their quotas people are relieved of." group:"people"`
	Relieve relieve `cmd:"" help:"Relieve somebody of a part of a quota for some days, revise that or take it back." group:"people"`

	Relief reliefCommand `cmd:"" help:"Propose a relief of somebody's quota, or decide about one." group:"people"`

	Teams teams `cmd:"" help:"List teams, or show one with its members and quotas." group:"people"`

	PayoutList payoutList `cmd:"" help:"Show what a release pays, with the digest to sign." group:"money"`
	Rehearse   rehearse   `cmd:"" help:"Say what a release would send, without sending anything, or write a file that it would build." group:"money"`
	Payouts    payouts    `cmd:"" help:"List the payouts of a period." group:"money"`
	Exceptions exceptions `cmd:"" help:"List the payouts of all periods that wait for a person." group:"money"`
	Payout     payout     `cmd:"" help:"Decide about a payout." group:"money"`
	Sanctions  sanctions  `cmd:"" help:"Keep the lists of whom the company must not pay." group:"money"`
	Rails      rails      `cmd:"" help:"List the rails, with how they are." group:"money"`
	Rail       rail       `cmd:"" help:"Look at a rail, say what it may do, decide about one that is stopped." group:"money"`
	Files      files      `cmd:"" help:"List the payment files of a period." group:"money"`
	File       file       `cmd:"" help:"Download a payment file, and say what became of it." group:"money"`

	Points      pointsCommand `cmd:"" help:"Show your points, and the rewards that you took for some." group:"people"`
	Redeem      redeem        `cmd:"" help:"Take a reward for points." group:"people"`
	Redemptions redemptions   `cmd:"" help:"List the rewards that people took for points, or give points back." group:"money"`

	BankCorrections bankCorrections `cmd:"" help:"Decide about what banks say that accounts are now." group:"money"`
	Prenotes        prenotes        `cmd:"" help:"Try accounts before they are first paid." group:"money"`

	Balances balances `cmd:"" aliases:"balance" help:"Sum the ledger up: of everything, a period or a participant, now or at the end of a day." group:"money"`
	Audit    audit    `cmd:"" help:"Read the audit chain." group:"money"`

	Sending        sending        `cmd:"" help:"Whether payouts are sent at all; let them be after a restore." group:"money"`
	Reconciliation reconciliation `cmd:"" help:"Compare our record with a rail's, list what differs, explain it." group:"money"`

	Samples samples `cmd:"" help:"List what was drawn at random of a period." group:"money"`
	Sample  sample  `cmd:"" help:"Draw statements at random, look at a sample, remark on what was drawn." group:"money"`
	Duties  duties  `cmd:"" help:"Say who prepared, approved and released what, and which duties were in one hand that belong in two." group:"money"`

	Quarantine quarantine `cmd:"" help:"Mend rows that imports could not take, read them again, or leave them out." group:"data"`

	Setup setup `cmd:"" help:"Say how far the company has come to its first calculated period." group:"people"`

	Prove prove `cmd:"" help:"Have the results of a period, or one statement, proved again where they are kept." group:"money"`

	Serve      serveAPI   `cmd:"" name:"api" help:"Run the API." group:"server"`
	Worker     work       `cmd:"" help:"Run a worker." group:"server"`
	Migrate    migrate    `cmd:"" help:"Bring the database up to date." group:"server"`
	RotateKeys rotateKeys `cmd:"" help:"Encrypt bank details anew with the newest key, so that older ones can be thrown away." group:"server"`
	Verify     verify     `cmd:"" help:"Prove periods again from their snapshots, the ledger and the audit chain, or one statement from a file alone." group:"server"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs one command line and returns the exit code: 0 done, 1 refused or failed, 2
// not understood.
func run(ctx context.Context, arguments []string, out, complaints io.Writer) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("guerdon"), kong.Description("Sales-incentive payouts: from data lock to money in the rep's account."),
		kong.Writers(out, complaints), kong.Exit(func(code int) { exit = code }), kong.UsageOnError(),
		kong.ExplicitGroups([]kong.Group{{Key: "people", Title: "People:"}, {Key: "data", Title: "Data:"}, {Key: "period", Title: "The pay period:"}, {Key: "money", Title: "Money:"},
			{Key: "server", Title: "Servers (settings from the environment, see docs/running.md):"}}))
	if err != nil {
		fmt.Fprintln(complaints, err)
		return 2
	}
	parsed, err := parser.Parse(arguments)
	if exit >= 0 { // help was asked for
		return exit
	}
	if err != nil {
		fmt.Fprintln(complaints, "guerdon:", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(commandName(parsed.Selected().Name))
	err = parsed.Run(&desk{commands: &c, out: out, complaints: complaints})
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errAlreadyTold):
	case incentive.ErrorCode(err) == incentive.CodeInternal:
		fmt.Fprintln(complaints, "guerdon:", err)
	default:
		fmt.Fprintf(complaints, "guerdon: %s (%s)\n", incentive.ErrorMessage(err), incentive.ErrorCode(err))
	}
	return 1
}

// commandName is the last word of the command, for commands that share their code.
type commandName string

// errAlreadyTold ends a command that has said itself what was wrong.
var errAlreadyTold = errors.New("already told")
