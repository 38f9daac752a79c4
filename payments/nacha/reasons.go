package nacha

import "github.com/guerdon/guerdon/payments"

// reason is what a reason for a return means.
type reason struct {
	class   payments.Class
	meaning string
}

// reasons is the one table of why credits come back. Alarm stands for those after which a person
// must look: the entry may have been paid all the same, or is none that we make. A reason that
// is not here is Definite.
var reasons = map[string]reason{
	"R01": {payments.Alarm, "the account does not hold enough, which is said of debits alone"},
	"R02": {payments.RecipientAction, "the account is closed"},
	"R03": {payments.RecipientAction, "the bank finds no such account"},
	"R04": {payments.RecipientAction, "the account number is wrong"},
	"R06": {payments.Definite, "it came back because it was asked back"},
	"R07": {payments.Alarm, "the permission is revoked, which is said of debits alone"},
	"R09": {payments.Alarm, "the account does not hold enough, which is said of debits alone"},
	"R10": {payments.Alarm, "the customer did not permit it, which is said of debits alone"},
	"R12": {payments.RecipientAction, "the branch is another bank's now"},
	"R13": {payments.RecipientAction, "the bank takes no such payments"},
	"R14": {payments.Definite, "whoever received it for somebody else has died"},
	"R15": {payments.Definite, "the recipient has died"},
	"R16": {payments.RecipientAction, "the account is frozen"},
	"R17": {payments.RecipientAction, "the bank cannot process it, or doubts it"},
	"R18": {payments.Configuration, "the day asked for was wrong"},
	"R19": {payments.Configuration, "the amount was badly written"},
	"R20": {payments.RecipientAction, "the account takes no payments"},
	"R21": {payments.Configuration, "the company's id is wrong"},
	"R22": {payments.Configuration, "the payment's id is wrong"},
	"R23": {payments.RecipientAction, "the recipient refused it"},
	"R24": {payments.Alarm, "the bank takes it for a duplicate of one that it has"},
	"R25": {payments.Configuration, "the addenda are badly written"},
	"R26": {payments.Configuration, "something that must be written was not"},
	"R27": {payments.Configuration, "the trace number is wrong"},
	"R28": {payments.RecipientAction, "the routing number is wrong"},
	"R29": {payments.Alarm, "the company did not permit it, which is said of debits alone"},
	"R31": {payments.Definite, "it came back as both banks had agreed"},
	"R32": {payments.Definite, "the recipient's bank could not settle it"},
	"R34": {payments.RecipientAction, "the bank may not take such payments"},
	"R85": {payments.Configuration, "it went abroad and was not written as such a payment must be"},
}

// changes is the one table of what a notification of change corrects.
var changes = map[string]string{
	"C01": "the account number", "C02": "the routing number", "C03": "the routing and account numbers", "C05": "the kind of the account",
	"C06": "the account number and kind", "C07": "the routing and account numbers and the kind",
}
