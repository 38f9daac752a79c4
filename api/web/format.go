package web

import "regexp"

// short is the beginning of a digest.
func short(digest string) string { return digest[:min(12, len(digest))] }

// longNumber is one of five digits, or of four that no year has.
var longNumber = regexp.MustCompile(`(^|[ (])(\d{5,}(\.\d+)?|\d{4}\.\d+)`)

// fraction is a number with a fraction, or a long one, which other languages write otherwise.
var fraction = regexp.MustCompile(`(^|[ (])(\d{5,}(\.\d+)?|\d+\.\d+)`)
