package plan

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// Filter is a condition on credits. It reads transaction, participant (who is paid) and
// credit, each by its declared attributes; numbers are exact decimals.
type Filter struct {
	Text        string // as written in the plan
	program     *vm.Program
	readsCredit bool
	reads       map[string][]attribute // of the plan's own attributes, those that the filter reads
	builtin     []member               // of those that every filter may read
}

type attribute struct {
	name string
	of   Type
}

// member is what a filter reads, such as amount of transaction.
type member struct{ of, name string }

// What every filter may read beside what the plan declares. Dates are texts such as
// 2026-01-31, which compare in the order of days.
var (
	builtinTransaction = map[string]Type{"source": Text, "id": Text, "date": Text, "amount": Number, "currency": Text}
	builtinParticipant = map[string]Type{"id": Text, "kind": Text, "country": Text}
	builtinCredit      = map[string]Type{"participant": Text, "role": Text, "share": Number, "amount": Number}
)

var expressionTypes = map[Type]types.Type{Text: types.String, Number: types.TypeOf(decimal.Decimal{})}

func environment(declared ...map[string]Type) types.Map {
	m := types.Map{}
	for _, attributes := range declared {
		for name, t := range attributes {
			m[name] = expressionTypes[t]
		}
	}
	return m
}

// operator makes a function of the expression library from one on decimals, and the
// option that puts it in the place of an operator.
func operator[T any](symbol, name string, of func(a, b decimal.Decimal) T) []expr.Option {
	f := func(arguments ...any) (any, error) {
		return of(arguments[0].(decimal.Decimal), arguments[1].(decimal.Decimal)), nil
	}
	return []expr.Option{expr.Function(name, f, new(func(decimal.Decimal, decimal.Decimal) T)), expr.Operator(symbol, name)}
}

// decimalOperators leave division out: a quotient is not exact.
var decimalOperators = append(append(append(append(append(append(append(append(
	operator("==", "decimalEqual", decimal.Decimal.Equal),
	operator("!=", "decimalUnequal", func(a, b decimal.Decimal) bool { return !a.Equal(b) })...),
	operator("<", "decimalLess", decimal.Decimal.LessThan)...),
	operator("<=", "decimalAtMost", decimal.Decimal.LessThanOrEqual)...),
	operator(">", "decimalGreater", decimal.Decimal.GreaterThan)...),
	operator(">=", "decimalAtLeast", decimal.Decimal.GreaterThanOrEqual)...),
	operator("+", "decimalPlus", decimal.Decimal.Add)...),
	operator("-", "decimalMinus", decimal.Decimal.Sub)...),
	operator("*", "decimalTimes", decimal.Decimal.Mul)...)

var readName = regexp.MustCompile(`unknown (?:name|field) (\w+)|has no field (\w+)`)

// ourNames say in a plan's words what the library calls otherwise.
var ourNames = strings.NewReplacer("decimal.Decimal", "number", "string", "text")

// parseFilter compiles a filter. The problem's place is counted within text.
func parseFilter(text string, reads Reads) (*Filter, *document.Problem) {
	literals := &literals{source: []rune(text), members: map[string]map[string]bool{}}
	options := []expr.Option{
		expr.Env(types.Map{
			"transaction": environment(builtinTransaction, reads.Transaction),
			"participant": environment(builtinParticipant, reads.Participant),
			"credit":      environment(builtinCredit),
		}),
		expr.AsBool(), expr.DisableAllBuiltins(), expr.MaxNodes(1000), expr.Optimize(false), expr.Patch(literals),
	}
	program, err := expr.Compile(text, append(options, decimalOperators...)...)
	var syntax *file.Error
	switch {
	case literals.problem != nil:
		return nil, literals.problem
	case errors.As(err, &syntax):
		format := "the filter cannot be read: %s"
		if readName.MatchString(syntax.Message) {
			format = "the filter cannot be read: %s (a filter reads transaction, participant and credit; attributes of your own are declared under \"reads\")"
		}
		line := max(syntax.Line, 1)
		return nil, &document.Problem{Line: line, Column: syntax.Column + 1, Message: fmt.Sprintf(format, ourNames.Replace(syntax.Message))}
	case err != nil:
		return nil, &document.Problem{Line: 1, Column: 1, Message: fmt.Sprintf("the filter cannot be read: %s", ourNames.Replace(err.Error()))}
	}
	f := &Filter{Text: text, program: program, readsCredit: len(literals.members["credit"]) > 0, reads: map[string][]attribute{
		"transaction": used(reads.Transaction, literals.members["transaction"]),
		"participant": used(reads.Participant, literals.members["participant"]),
	}}
	for of, known := range map[string]map[string]Type{"transaction": builtinTransaction, "participant": builtinParticipant, "credit": builtinCredit} {
		for _, a := range used(known, literals.members[of]) {
			f.builtin = append(f.builtin, member{of, a.name})
		}
	}
	return f, nil
}

// used lists the declared attributes that are among the names, sorted.
func used(declared map[string]Type, names map[string]bool) []attribute {
	var attributes []attribute
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if of, own := declared[name]; own {
			attributes = append(attributes, attribute{name, of})
		}
	}
	return attributes
}

// literals makes every number of an expression the exact decimal that is written in its
// source, as the library's own parser has made a float of it, and notes what is read.
type literals struct {
	source  []rune
	members map[string]map[string]bool
	problem *document.Problem
}

var numberText = regexp.MustCompile(`^[0-9_]*(?:\.[0-9_]+)?`)

// Visit patches one node; the library calls it for every node, children first.
func (l *literals) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		from := (*node).Location().From
		text := numberText.FindString(string(l.source[from:]))
		d, err := incentive.ParseDecimal(strings.ReplaceAll(text, "_", ""))
		rest := l.source[from+len(text):]
		if err != nil || len(rest) > 0 && strings.ContainsRune("eExXbBoO", rest[0]) {
			l.refuse(from, "write a number as digits with an optional point")
			return
		}
		ast.Patch(node, &ast.ConstantNode{Value: d})
	case *ast.MemberNode:
		of, isName := n.Node.(*ast.IdentifierNode)
		property, isText := n.Property.(*ast.StringNode)
		if !isName || !isText {
			l.refuse(n.Location().From, "write an attribute as in transaction.category")
			return
		}
		if l.members[of.Value] == nil {
			l.members[of.Value] = map[string]bool{}
		}
		l.members[of.Value][property.Value] = true
	case *ast.UnaryNode:
		constant, isConstant := n.Node.(*ast.ConstantNode)
		if !isConstant {
			return
		}
		if d, isNumber := constant.Value.(decimal.Decimal); isNumber && n.Operator == "-" {
			ast.Patch(node, &ast.ConstantNode{Value: d.Neg()})
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "/", "%", "**", "^":
			l.refuse(n.Location().From, "a filter adds, subtracts and multiplies: %s is not exact", n.Operator)
		case "in", "not in":
			// The library would compare decimals digit by digit, so that 1.0 is not in [1].
			if list, isList := n.Right.(*ast.ArrayNode); isList {
				l.spellOut(node, n.Left, list)
			}
		}
	case *ast.VariableDeclaratorNode:
		// Variables that each double the one before would make a few lines run for ever.
		l.refuse(n.Location().From, "a filter has no variables: write what \"let\" names out")
	}
}

// isCondition reports whether a node says yes or no, or chooses by one that does.
func isCondition(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.ConditionalNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "not" || n.Operator == "!"
	case *ast.BinaryNode:
		return n.Operator != "+" && n.Operator != "-" && n.Operator != "*"
	}
	return false
}

// spellOut makes "x in [1, 2]" into "x == 1 or x == 2". As x is there once for each item,
// it holds no condition: one list within another would double what there is at each level.
func (l *literals) spellOut(node *ast.Node, left ast.Node, list *ast.ArrayNode) {
	if ast.Find(left, isCondition) != nil {
		l.refuse(left.Location().From, "what is looked for in a list is an attribute or a number, and no condition: write conditions with and, or and not")
		return
	}
	var all ast.Node
	for _, item := range list.Nodes {
		var same ast.Node = &ast.BinaryNode{Operator: "==", Left: left, Right: item}
		same.SetLocation((*node).Location())
		if all != nil {
			same = &ast.BinaryNode{Operator: "or", Left: all, Right: same}
			same.SetLocation((*node).Location())
		}
		all = same
	}
	if all != nil {
		ast.Patch(node, all)
	}
}

func (l *literals) refuse(at int, format string, arguments ...any) {
	if l.problem == nil {
		before := string(l.source[:at])
		line := strings.Count(before, "\n") + 1
		l.problem = &document.Problem{Line: line, Column: at - strings.LastIndex(before, "\n"), Message: fmt.Sprintf(format, arguments...)}
	}
}

// Subject is what a filter is asked about.
type Subject struct {
	Transaction *incentive.Transaction
	Credit      *incentive.Credit
	Participant *incentive.Participant // who is paid, as of the transaction's date
	Credited    decimal.Decimal
}

// Takes reports whether the filter takes a credit. Its error, of code CodeInvalid, names
// the attribute that does not hold what the plan declares.
func (f *Filter) Takes(s Subject) (bool, error) {
	if f == nil {
		return true, nil
	}
	t, p := s.Transaction, s.Participant
	a := askedLately.Get().(*asked)
	defer askedLately.Put(a)
	for _, values := range a.values {
		clear(values)
	}
	for _, m := range f.builtin {
		a.values[m.of][m.name] = s.value(m)
	}
	if err := fill(a.values["transaction"], f.reads["transaction"], t.Attributes, func() string { return fmt.Sprintf("transaction %s of %s", t.ID, t.Source) }); err != nil {
		return false, err
	}
	if err := fill(a.values["participant"], f.reads["participant"], p.Attributes, func() string { return "participant " + p.ID }); err != nil {
		return false, err
	}
	result, err := a.vm.Run(f.program, a.environment)
	if err != nil {
		return false, fmt.Errorf("apply the filter %q to transaction %s of %s: %w", f.Text, t.ID, t.Source, err)
	}
	return result.(bool), nil
}

// Excludes reports whether the filter takes no credit of a transaction, whoever has it. Of a filter
// that reads credits or participants that is not known.
func (f *Filter) Excludes(t *incentive.Transaction) bool {
	if f == nil || len(f.reads["participant"]) > 0 || slices.ContainsFunc(f.builtin, func(m member) bool { return m.of != "transaction" }) {
		return false
	}
	takes, err := f.Takes(Subject{Transaction: t, Participant: &incentive.Participant{}})
	return err == nil && !takes
}

// asked is what a filter is asked with. It is used again, as filters are asked about millions of
// credits.
type asked struct {
	vm          vm.VM
	values      map[string]map[string]any
	environment map[string]any
}

var askedLately = sync.Pool{New: func() any {
	a := &asked{values: map[string]map[string]any{"transaction": {}, "participant": {}, "credit": {}}, environment: map[string]any{}}
	for of, values := range a.values {
		a.environment[of] = values
	}
	return a
}}

// value returns what every filter may read.
func (s Subject) value(of member) any {
	switch of {
	case member{"transaction", "source"}:
		return s.Transaction.Source
	case member{"transaction", "id"}:
		return s.Transaction.ID
	case member{"transaction", "date"}:
		return s.Transaction.Date.String()
	case member{"transaction", "amount"}:
		return s.Transaction.Amount
	case member{"transaction", "currency"}:
		return string(s.Transaction.Currency)
	case member{"participant", "id"}:
		return s.Participant.ID
	case member{"participant", "kind"}:
		return string(s.Participant.Kind)
	case member{"participant", "country"}:
		return s.Participant.Country
	case member{"credit", "participant"}:
		return s.Credit.ParticipantID
	case member{"credit", "role"}:
		return s.Credit.Role
	case member{"credit", "share"}:
		return s.Credit.Share
	default:
		return s.Credited
	}
}

// fill adds attributes. A text that is absent is empty; a number must be there.
func fill(into map[string]any, read []attribute, attributes map[string]string, of func() string) error {
	for _, a := range read {
		if a.of == Text {
			into[a.name] = attributes[a.name]
			continue
		}
		number, err := AttributeNumber(attributes, a.name, of)
		if err != nil {
			return err
		}
		into[a.name] = number
	}
	return nil
}

// AttributeNumber reads an attribute that a plan declares as a number. of says whose it
// is. Its error has code CodeInvalid.
func AttributeNumber(attributes map[string]string, name string, of func() string) (decimal.Decimal, error) {
	text, there := attributes[name]
	if !there || text == "" {
		return decimal.Decimal{}, incentive.Errorf(incentive.CodeInvalid, "%s has no %q, which the plan reads as a number", of(), name)
	}
	number, err := document.ParseNumber(text)
	if err != nil {
		return decimal.Decimal{}, incentive.Errorf(incentive.CodeInvalid, "%q of %s: %s", name, of(), err)
	}
	return number, nil
}
