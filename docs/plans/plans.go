// Package plans holds the gallery: plans of usual kinds to begin with, each with examples of
// what it pays.
package plans

import "embed"

// Files are the plans, as YAML.
//
//go:embed *.yaml
var Files embed.FS
