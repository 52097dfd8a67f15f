package enforcement

import (
	"context"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

func notYet() error { return wrongState("this part of the procedure is not open yet") }

func (s *Server) PlanCase(context.Context, *enforcementv1.PlanCaseRequest) (*enforcementv1.PlanCaseResponse, error) {
	return nil, notYet()
}
func (s *Server) CheckCaseStep(context.Context, *enforcementv1.CheckCaseStepRequest) (*enforcementv1.CheckCaseStepResponse, error) {
	return nil, notYet()
}
func (s *Server) RecordCaseStep(context.Context, *enforcementv1.RecordCaseStepRequest) (*enforcementv1.RecordCaseStepResponse, error) {
	return nil, notYet()
}
func (s *Server) RecordCaseEffect(context.Context, *enforcementv1.RecordCaseEffectRequest) (*enforcementv1.RecordCaseEffectResponse, error) {
	return nil, notYet()
}
func (s *Server) RequestCaseStep(context.Context, *enforcementv1.RequestCaseStepRequest) (*enforcementv1.RequestCaseStepResponse, error) {
	return nil, notYet()
}
func (s *Server) CheckDecision(context.Context, *enforcementv1.CheckDecisionRequest) (*enforcementv1.CheckDecisionResponse, error) {
	return nil, notYet()
}
func (s *Server) RecordPayment(context.Context, *enforcementv1.RecordPaymentRequest) (*enforcementv1.RecordPaymentResponse, error) {
	return nil, notYet()
}
func (s *Server) RecordRemedy(context.Context, *enforcementv1.RecordRemedyRequest) (*enforcementv1.RecordRemedyResponse, error) {
	return nil, notYet()
}
func (s *Server) RecuseOfficer(context.Context, *enforcementv1.RecuseOfficerRequest) (*enforcementv1.RecuseOfficerResponse, error) {
	return nil, notYet()
}
func (s *Server) AddCaseEvidence(context.Context, *enforcementv1.AddCaseEvidenceRequest) (*enforcementv1.AddCaseEvidenceResponse, error) {
	return nil, notYet()
}
func (s *Server) MoveCaseEvidence(context.Context, *enforcementv1.MoveCaseEvidenceRequest) (*enforcementv1.MoveCaseEvidenceResponse, error) {
	return nil, notYet()
}
func (s *Server) ListCaseEvidence(context.Context, *enforcementv1.ListCaseEvidenceRequest) (*enforcementv1.ListCaseEvidenceResponse, error) {
	return nil, notYet()
}
func (s *Server) DisputeJurisdiction(context.Context, *enforcementv1.DisputeJurisdictionRequest) (*enforcementv1.DisputeJurisdictionResponse, error) {
	return nil, notYet()
}
