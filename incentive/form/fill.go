package form

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

// Acts that change how many parts there are. An act is written with the path that it is
// about, as in "remove:components/1".
const (
	Add    = "add"    // another row or name at the path, or the part that the field "add/<path>" names in the group there
	Remove = "remove" // what is at the path
)

// Fill writes the fields of a form into the document that the form was read from, and does
// an act, "" for none. What has no field stays as it is, and so does the text where
// nothing changes.
func Fill(text []byte, shape Shape, fields url.Values, act string) ([]byte, error) {
	top, root, err := parse(text)
	if err != nil {
		return nil, err
	}
	f := filler{fields: fields}
	f.fill(shape, "", root)
	if verb, path, is := strings.Cut(act, ":"); is {
		done := false
		switch verb {
		case Add:
			done = f.add(shape, path, root)
		case Remove:
			done = f.remove(shape, path, root)
		}
		if !done {
			return nil, incentive.Errorf(incentive.CodeInvalid, "the form has no such part: read it again")
		}
	}
	if !f.changed {
		return text, nil
	}
	return write(top)
}

type filler struct {
	fields  url.Values
	changed bool
}

// given returns a field's text, where the form has the field.
func (f *filler) given(path string) (string, bool) {
	texts, is := f.fields[path]
	if !is || len(texts) == 0 {
		return "", false
	}
	return strings.TrimSpace(strings.ReplaceAll(texts[0], "\r\n", "\n")), true
}

// scalar is a text as a document writes it. What may be a number is not put into quotes.
func scalar(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	var back yaml.Node
	if err := yaml.Unmarshal([]byte(text), &back); err != nil || len(back.Content) != 1 || back.Content[0].Kind != yaml.ScalarNode || back.Content[0].Value != text || back.Content[0].Tag == "!!null" {
		n.Tag = "!!str"
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// set gives a scalar another value; its comments stay.
func (f *filler) set(n *yaml.Node, text string) {
	if n.Kind == yaml.ScalarNode && n.Value == text {
		return
	}
	f.changed = true
	is := scalar(text)
	n.Kind, n.Tag, n.Value, n.Style, n.Content = is.Kind, is.Tag, is.Value, is.Style, nil
}

// put gives a key of a mapping a value: "" takes the key away. What is new stands after
// what the shape names before it.
func (f *filler) put(m *yaml.Node, parts []Shape, key, text string) {
	i := find(m, key)
	switch {
	case i < 0 && text == "":
	case i < 0:
		f.insert(m, parts, key, scalar(text))
	case text == "":
		f.drop(m, i)
	default:
		f.set(m.Content[i+1], text)
	}
}

func (f *filler) drop(m *yaml.Node, i int) {
	f.changed = true
	m.Content = slices.Delete(m.Content, i, i+2)
}

func (f *filler) insert(m *yaml.Node, parts []Shape, key string, value *yaml.Node) {
	f.changed = true
	at := len(m.Content)
	after := false
	var later []string
	for _, s := range parts {
		if s.Picked != "" {
			continue // it stands where its Aggregate does
		}
		names := []string{s.Key}
		switch s.Kind {
		case Edge:
			names = []string{"up_to", "below"}
		case Aggregate:
			names = aggregates
		}
		if after {
			later = append(later, names...)
		}
		after = after || slices.Contains(names, key)
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if slices.Contains(later, m.Content[i].Value) {
			at = i
			break
		}
	}
	if m.Kind == yaml.MappingNode && len(m.Content) == 0 && value.Kind != yaml.ScalarNode {
		m.Style &^= yaml.FlowStyle
	}
	m.Content = slices.Insert(m.Content, at, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// fill writes the fields of what is at a path into its node.
func (f *filler) fill(s Shape, path string, n *yaml.Node) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return
	}
	switch s.Kind {
	case Group:
		if n.Kind == yaml.MappingNode {
			f.group(s, path, n)
		}
	case Rows:
		for i := 0; n.Kind == yaml.SequenceNode && i < len(n.Content); i++ {
			f.fill(s.each(), within(path, fmt.Sprint(i)), n.Content[i])
		}
	case Names:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			at := within(path, fmt.Sprint(i/2))
			if name, is := f.given(at + "/name"); is && name != "" {
				f.set(n.Content[i], name)
			}
			if s.Parts[0].Key == Itself {
				if text, is := f.given(at); is && n.Content[i+1].Kind == yaml.ScalarNode {
					f.set(n.Content[i+1], text)
				}
				continue
			}
			f.fill(s.each(), at, n.Content[i+1])
		}
	}
}

func (f *filler) group(s Shape, path string, m *yaml.Node) {
	for _, part := range s.Parts {
		at := within(path, part.Key)
		i := find(m, part.Key)
		if i < 0 && part.Picked != "" {
			continue
		}
		switch part.Kind {
		case Text, Yes, Choice:
			if text, is := f.given(at); is {
				f.put(m, s.Parts, part.Key, text)
			}
		case List, Several:
			f.list(s, part, at, m)
		case Condition:
			f.condition(s, part, at, m)
		case Edge:
			text, is := f.given(at)
			word, named := f.given(at + "/word")
			if !is || !named || word != "up_to" && word != "below" {
				continue
			}
			other := map[string]string{"up_to": "below", "below": "up_to"}[word]
			if j := find(m, other); j >= 0 && find(m, word) < 0 {
				f.changed = f.changed || text != ""
				m.Content[j].Value = word
			}
			f.put(m, s.Parts, other, "")
			f.put(m, s.Parts, word, text)
		case Aggregate:
			f.aggregate(s, at, m)
		case Group:
			switch {
			case part.Short != "":
				f.short(s, part, at, m, i)
			case i >= 0:
				f.fill(part, at, m.Content[i+1])
			}
		default:
			if i >= 0 {
				f.fill(part, at, m.Content[i+1])
			}
		}
	}
}

// short fills a group that may be written as the value of one of its parts.
func (f *filler) short(s, part Shape, at string, m *yaml.Node, i int) {
	var value *yaml.Node
	if i >= 0 {
		value = m.Content[i+1]
	}
	if value != nil && (value.Kind == yaml.AliasNode || value.Anchor != "") {
		return
	}
	spread := part.spread(value)
	if spread.Kind != yaml.MappingNode {
		return
	}
	before := f.changed
	f.changed = false
	f.group(part, at, spread)
	if !f.changed {
		f.changed = before
		return
	}
	if len(spread.Content) == 2 && spread.Content[0].Value == part.Short {
		spread = spread.Content[1]
	}
	switch empty := spread.Kind == yaml.MappingNode && len(spread.Content) == 0; {
	case i < 0 && !empty:
		f.insert(m, s.Parts, part.Key, spread)
	case i >= 0 && empty:
		f.drop(m, i)
	case i >= 0:
		m.Content[i+1] = spread
	}
}

func (f *filler) list(s, part Shape, at string, m *yaml.Node) {
	if _, is := f.given(at); !is {
		return
	}
	var wanted []string
	for _, text := range f.fields[at] { // of boxes, each ticked one has the field once more
		for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
			if one = strings.TrimSpace(one); one != "" {
				wanted = append(wanted, one)
			}
		}
	}
	i := find(m, part.Key)
	var was []string
	if i >= 0 {
		for _, item := range m.Content[i+1].Content {
			was = append(was, item.Value)
		}
	}
	switch {
	case slices.Equal(was, wanted), i >= 0 && m.Content[i+1].Kind != yaml.SequenceNode:
	case len(wanted) == 0:
		f.drop(m, i)
	default:
		items := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, one := range wanted {
			items.Content = append(items.Content, scalar(one))
		}
		if i < 0 {
			f.insert(m, s.Parts, part.Key, items)
			return
		}
		f.changed = true
		m.Content[i+1].Content = items.Content
	}
}

// mostConditions bounds how many conditions of a filter are read from a form.
const mostConditions = 50

func (f *filler) condition(s, part Shape, at string, m *yaml.Node) {
	if raw, is := f.given(at); is {
		f.put(m, s.Parts, part.Key, raw)
		return
	}
	var all []Comparison
	for i := range mostConditions {
		one := within(at, strconv.Itoa(i))
		attribute, is := f.given(one + "/of")
		if !is {
			if i == 0 {
				return
			}
			break
		}
		operator, _ := f.given(one + "/is")
		value, _ := f.given(one + "/value")
		if attribute != "" && slices.Contains(Operators, operator) {
			all = append(all, Comparison{attribute, operator, value})
		}
	}
	if i := find(m, part.Key); i >= 0 {
		if stands := conditions(m.Content[i+1].Value, part); stands.Raw || slices.Equal(stands.All, all) {
			return
		}
	}
	f.put(m, s.Parts, part.Key, filter(all, part))
}

func (f *filler) aggregate(s Shape, at string, m *yaml.Node) {
	text, is := f.given(at)
	key, value, cut := strings.Cut(text, " ")
	parts := picked(s.Parts, text)
	if !is || !cut && len(parts) == 0 || !slices.Contains(aggregates, key) {
		return
	}
	was := slices.IndexFunc(s.Parts, func(p Shape) bool { return p.Picked != "" && find(m, p.Key) >= 0 })
	if was >= 0 && s.Parts[was].Picked == text {
		return
	}
	if was >= 0 || len(parts) > 0 {
		style := m.Style
		for _, other := range aggregates {
			if i := find(m, other); i >= 0 {
				f.drop(m, i)
			}
		}
		for _, p := range parts {
			f.insert(m, s.Parts, p.Key, p.beginning())
		}
		m.Style = style
		if len(parts) > 0 {
			return
		}
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if slices.Contains(aggregates, m.Content[i].Value) {
			if m.Content[i].Value != key {
				f.changed = true
				m.Content[i].Value = key
			}
			f.set(m.Content[i+1], value)
			return
		}
	}
	f.insert(m, s.Parts, key, scalar(value))
}

// at follows a path to a part's shape and node, and the node that holds it.
func at(s Shape, path string, n *yaml.Node) (shape Shape, node, holder *yaml.Node, index int) {
	shape, node, index = s, n, -1
	if path == "" {
		return shape, node, nil, index
	}
	for _, step := range strings.Split(path, "/") {
		if node == nil {
			return shape, nil, nil, -1
		}
		holder = node
		switch shape.Kind {
		case Group:
			i := slices.IndexFunc(shape.Parts, func(p Shape) bool { return p.Key == step })
			if i < 0 {
				return shape, nil, nil, -1
			}
			shape = shape.Parts[i]
			index = find(node, step)
			if index < 0 {
				node = nil
				continue
			}
			node = node.Content[index+1]
		case Rows:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node.Content) || node.Kind != yaml.SequenceNode {
				return shape, nil, nil, -1
			}
			shape, index, node = shape.each(), i, node.Content[i]
		case Names:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || 2*i+1 >= len(node.Content) || node.Kind != yaml.MappingNode {
				return shape, nil, nil, -1
			}
			shape, index, node = shape.each(), 2*i, node.Content[2*i+1]
		default:
			return shape, nil, nil, -1
		}
	}
	return shape, node, holder, index
}

// beginning is what is added to a document.
func (s Shape) beginning() *yaml.Node {
	var top yaml.Node
	if err := yaml.Unmarshal([]byte(s.Begins), &top); err == nil && len(top.Content) == 1 {
		return top.Content[0]
	}
	switch s.Kind {
	case Rows:
		return &yaml.Node{Kind: yaml.SequenceNode}
	case Group, Names:
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle}
}

func (f *filler) add(s Shape, path string, root *yaml.Node) bool {
	shape, node, _, _ := at(s, path, root)
	if node == nil {
		return false
	}
	switch shape.Kind {
	case Rows:
		if node.Kind != yaml.SequenceNode {
			return false
		}
		row := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		if first := shape.beginning(); first.Kind == yaml.SequenceNode && len(first.Content) > 0 {
			row = first.Content[len(first.Content)-1]
		}
		if len(node.Content) > 0 && row.Kind == yaml.MappingNode { // as the one before it is written
			row.Style = node.Content[len(node.Content)-1].Style
		}
		node.Content = append(node.Content, row)
	case Names:
		if node.Kind != yaml.MappingNode {
			return false
		}
		name, _ := f.given("add/" + path)
		if name == "" {
			return true // which name it is has to be said first
		}
		if find(node, name) >= 0 {
			return true
		}
		value := shape.Parts[0].beginning()
		if shape.Parts[0].Key != Itself {
			value = &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		}
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, value)
	case Group:
		wanted, _ := f.given("add/" + path)
		i := slices.IndexFunc(shape.Parts, func(p Shape) bool { return p.Key == wanted && p.asked() })
		if i < 0 || node.Kind != yaml.MappingNode {
			return wanted == ""
		}
		part := shape.Parts[i]
		for _, other := range shape.Parts {
			if j := find(node, other.Key); j >= 0 && part.Instead && other.Instead {
				f.drop(node, j)
			}
		}
		if find(node, part.Key) < 0 {
			f.insert(node, shape.Parts, part.Key, part.beginning())
		}
	default:
		return false
	}
	f.changed = true
	return true
}

func (f *filler) remove(s Shape, path string, root *yaml.Node) bool {
	_, node, holder, i := at(s, path, root)
	if node == nil || holder == nil || i < 0 {
		return false
	}
	if holder.Kind == yaml.SequenceNode {
		holder.Content = slices.Delete(holder.Content, i, i+1)
		f.changed = true
		return true
	}
	f.drop(holder, i)
	return true
}
