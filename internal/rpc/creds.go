package rpc

import (
	"context"
	"errors"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
)

// serverCredentials let in every member of the mesh; which workload may call what is the access rules' business.
func serverCredentials(src identity.Source) credentials.TransportCredentials {
	cfg := tlsconfig.MTLSServerConfig(src, src, tlsconfig.AuthorizeMemberOf(identity.Domain()))
	// A resumed session is not verified again and would keep an identity past its certificate.
	cfg.SessionTicketsDisabled = true
	return credentials.NewTLS(cfg)
}

// clientCredentials talk to exactly one workload: another one at the same address, even of the mesh, is refused.
func clientCredentials(src identity.Source, w identity.Workload) credentials.TransportCredentials {
	return credentials.NewTLS(tlsconfig.MTLSClientConfig(src, src, tlsconfig.AuthorizeID(identity.ID(w))))
}

// peerCaller is the workload at the other end of the connection, from its verified certificate.
func peerCaller(ctx context.Context) (accessv1.Caller, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return 0, errors.New("no peer")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || info.SPIFFEID == nil {
		return 0, errors.New("the connection has no SPIFFE identity")
	}
	id, err := spiffeid.FromURI(info.SPIFFEID)
	if err != nil {
		return 0, err
	}
	w, err := identity.WorkloadOf(id)
	if err != nil {
		return 0, err
	}
	return w.Caller(), nil
}
