package form

// Field is a text or number; suggested is what is offered for it.
func Field(key string, suggested ...string) Shape {
	return Shape{Key: key, Kind: Text, Words: suggested}
}

// OneOf is one of some words.
func OneOf(key string, words ...string) Shape { return Shape{Key: key, Kind: Choice, Words: words} }

// GroupOf is a group of parts, which is added as begins says in YAML.
func GroupOf(key, begins string, parts ...Shape) Shape {
	return Shape{Key: key, Kind: Group, Begins: begins, Parts: parts}
}

// RowsOf is a list of groups, which is added, and then a row of it, as begins says in YAML.
func RowsOf(key, begins string, parts ...Shape) Shape {
	return Shape{Key: key, Kind: Rows, Begins: begins, Parts: parts}
}

// Called is a part under the name that a key of texts gives it.
func Called(label string, s Shape) Shape { s.Label = label; return s }
