// Package identity says who is there: the workload, known by the SPIFFE ID of its mTLS certificate, and the actor, the
// person or outside system on whose behalf a workload calls.
//
// A workload proves itself with every connection. An actor is told as metadata, which services believe only from the
// gateway (which verified a token) and from the workflows; package rpc enforces that.
package identity

import (
	"fmt"
	"strings"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"

	accessv1 "quietline/proto/quietline/access/v1"
)

// TrustDomain is the name of the mesh in every SPIFFE ID.
const TrustDomain = "quietline.internal"

// Workload is a program of the mesh: the path of its SPIFFE ID.
type Workload string

// The workloads of the mesh, one for each Caller of the access rules.
const (
	Gateway     Workload = "gateway"
	Workflows   Workload = "workflows"
	Reporting   Workload = "reporting"
	Assignment  Workload = "assignment"
	Ledger      Workload = "ledger"
	Credit      Workload = "credit"
	Enforcement Workload = "enforcement"
	Disclosure  Workload = "disclosure"
)

// Source gives a workload its current certificate and the authorities that it trusts.
type Source interface {
	x509svid.Source
	x509bundle.Source
}

// Domain is the trust domain of the mesh.
func Domain() spiffeid.TrustDomain { return spiffeid.RequireTrustDomainFromString(TrustDomain) }

// ID is the SPIFFE ID of a workload: spiffe://quietline.internal/<workload>.
func ID(w Workload) spiffeid.ID { return spiffeid.RequireFromSegments(Domain(), string(w)) }

// WorkloadOf is the workload of a SPIFFE ID; an error when it is none of the mesh's.
func WorkloadOf(id spiffeid.ID) (Workload, error) {
	w := Workload(strings.TrimPrefix(id.Path(), "/"))
	if !id.MemberOf(Domain()) || w.Caller() == accessv1.Caller_CALLER_UNSPECIFIED {
		return "", fmt.Errorf("%s is not a workload of the mesh", id)
	}
	return w, nil
}

// Caller is the workload's name in access rules; UNSPECIFIED for an unknown one.
func (w Workload) Caller() accessv1.Caller {
	return accessv1.Caller(accessv1.Caller_value["CALLER_"+strings.ToUpper(string(w))])
}

// WorkloadOfCaller is the workload that access rules name so; empty for UNSPECIFIED.
func WorkloadOfCaller(c accessv1.Caller) Workload {
	if c == accessv1.Caller_CALLER_UNSPECIFIED {
		return ""
	}
	return Workload(strings.ToLower(strings.TrimPrefix(c.String(), "CALLER_")))
}
