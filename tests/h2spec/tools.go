//go:build tools

// Package h2spec pins the version of the conformance suite that ../h2spec_test.py builds and runs.
package h2spec

import _ "github.com/summerwind/h2spec/cmd/h2spec"
