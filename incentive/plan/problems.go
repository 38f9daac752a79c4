package plan

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

// CodeInvalidPlan says that a plan's document breaks a rule of the language.
const CodeInvalidPlan incentive.Code = "invalid-plan"

// Problem is one thing that is wrong with a plan's document.
type Problem struct {
	Line, Column int // from 1
	Message      string
}

// String returns the problem with its place.
func (p Problem) String() string {
	return fmt.Sprintf("line %d, column %d: %s", p.Line, p.Column, p.Message)
}

// Problems is everything that is wrong with a plan's document, in its order.
type Problems []Problem

// Error lists the problems.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems the code CodeInvalidPlan.
func (p Problems) Unwrap() error {
	return &incentive.Error{Code: CodeInvalidPlan, Message: p.Error()}
}

func (p *Problems) at(line, column int, format string, arguments ...any) {
	*p = append(*p, Problem{Line: line, Column: column, Message: fmt.Sprintf(format, arguments...)})
}

func (p *Problems) on(node *yaml.Node, format string, arguments ...any) {
	p.at(node.Line, node.Column, format, arguments...)
}

func (p Problems) inOrder() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return p
}
