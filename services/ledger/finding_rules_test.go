package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quietline/services/ledger/store"
)

func TestCompare(t *testing.T) {
	kinds := func(found []deviation) []string {
		var out []string
		for _, d := range found {
			out = append(out, d.kind)
		}
		return out
	}
	inbound, service := store.Purpose{}, store.Purpose{CallsOut: true}
	consented := store.Purpose{CallsOut: true, Markets: true}
	for _, c := range []struct {
		name    string
		o       observation
		callers []string
		p       store.Purpose
		want    []string
	}{
		{"marketing on a code for calls in", observation{number: "95202101", category: "commercial"}, nil, inbound, []string{purposeDiffers}},
		{"marketing on a service code", observation{number: "95588", category: "commercial"}, nil, service, []string{purposeDiffers}},
		{"calls out on a code for calls in", observation{number: "95202101", category: "malicious"}, nil, inbound, []string{purposeDiffers}},
		{"harassment on a service code", observation{number: "95588", category: "malicious"}, nil, service, nil},
		{"marketing where it is declared", observation{number: "95588", category: "commercial"}, []string{"95588"}, consented, nil},
		{"a caller that is not permitted", observation{number: "4000000102", category: "commercial"}, []string{"4000000101"}, consented, []string{callerNotPermitted}},
		{"both", observation{number: "4000000102", category: "commercial"}, []string{"4000000101"}, inbound, []string{purposeDiffers, callerNotPermitted}},
	} {
		got := kinds(compare(c.o, store.Allocation{Purpose: "x", PermittedCallers: c.callers}, c.p))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
