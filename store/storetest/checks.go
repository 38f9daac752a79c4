package storetest

import (
	"flag"
	"os"
	"testing"
)

// RunFewer is the TestMain of packages whose properties each need a database: it tries 40
// examples of a property where nobody asks for another number, by RAPID_CHECKS or -rapid.checks.
func RunFewer(m *testing.M) {
	flag.Parse()
	asked := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", "40"); err != nil {
			panic(err) // the flag is rapid's own, which every such package imports
		}
	}
	os.Exit(m.Run())
}
