package enforcement

import (
	"context"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// GetLiabilityChain is refused until its part of the catalogue is open.
func (s *Server) GetLiabilityChain(context.Context, *enforcementv1.GetLiabilityChainRequest) (*enforcementv1.GetLiabilityChainResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// RecordChainParty is refused until its part of the catalogue is open.
func (s *Server) RecordChainParty(context.Context, *enforcementv1.RecordChainPartyRequest) (*enforcementv1.RecordChainPartyResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// RecordNotPursued is refused until its part of the catalogue is open.
func (s *Server) RecordNotPursued(context.Context, *enforcementv1.RecordNotPursuedRequest) (*enforcementv1.RecordNotPursuedResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// AttributeCaller is refused until its part of the catalogue is open.
func (s *Server) AttributeCaller(context.Context, *enforcementv1.AttributeCallerRequest) (*enforcementv1.AttributeCallerResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// RecordResponsiblePerson is refused until its part of the catalogue is open.
func (s *Server) RecordResponsiblePerson(context.Context, *enforcementv1.RecordResponsiblePersonRequest) (*enforcementv1.RecordResponsiblePersonResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// LookUpResponsiblePersons is refused until its part of the catalogue is open.
func (s *Server) LookUpResponsiblePersons(context.Context, *enforcementv1.LookUpResponsiblePersonsRequest) (*enforcementv1.LookUpResponsiblePersonsResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// RecordFinding is refused until its part of the catalogue is open.
func (s *Server) RecordFinding(context.Context, *enforcementv1.RecordFindingRequest) (*enforcementv1.RecordFindingResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// ListUndisposed is refused until its part of the catalogue is open.
func (s *Server) ListUndisposed(context.Context, *enforcementv1.ListUndisposedRequest) (*enforcementv1.ListUndisposedResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}

// CheckMeasures is refused until its part of the catalogue is open.
func (s *Server) CheckMeasures(context.Context, *enforcementv1.CheckMeasuresRequest) (*enforcementv1.CheckMeasuresResponse, error) {
	return nil, wrongState("this part of the catalogue is not open yet")
}
