package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"quietline/gateway/issuer"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Issuer is an identity provider whose tokens count, and what they may say (issuer, audience,
// agency fixed or a claim within an allowed set, role map).
type Issuer struct {
	// Name goes before its subjects ("miit/zhang"), so that two issuers' people stay different people. It may be
	// empty for the only issuer.
	Name string `json:"name"`
	// URL is the issuer's identifier; its discovery document lies below.
	URL string `json:"issuer"`
	// Audience must be among a token's audiences.
	Audience string `json:"audience"`
	// Agency is the agency of everybody from this issuer. Else AgencyClaim names the claim that says it, and
	// Agencies, or the expression AgencyPattern, what it may say.
	Agency        string   `json:"agency,omitempty"`
	AgencyClaim   string   `json:"agency_claim,omitempty"`
	Agencies      []string `json:"agencies,omitempty"`
	AgencyPattern string   `json:"agency_pattern,omitempty"`
	// RolesClaim names the claim with the roles, a list or a text with spaces; dots lead into objects.
	RolesClaim string `json:"roles_claim"`
	// Roles maps the claim's values to roles such as CASEWORKER. Other values are ignored.
	Roles map[string]string `json:"roles"`
	// PartyClaim names the claim that binds a PARTY to a credit code or case.
	PartyClaim string `json:"party_claim,omitempty"`
}

// readIssuers reads the file of --issuers: a JSON list.
func readIssuers(path string) ([]Issuer, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read issuers: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var list []Issuer
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("read issuers from %s: %w", path, err)
	}
	return list, nil
}

// demoIssuer trusts the gateway's own identity provider: everybody may be anybody, except the public and the mesh.
func demoIssuer(url string) Issuer {
	roles := map[string]string{}
	for _, role := range issuer.Roles() {
		roles[role] = role
	}
	return Issuer{
		URL: url, Audience: issuer.Audience,
		AgencyClaim: "agency", AgencyPattern: issuer.AgencyPattern,
		RolesClaim: "roles", Roles: roles, PartyClaim: "party",
	}
}

func checkIssuers(list []Issuer) error {
	urls, names := map[string]bool{}, map[string]bool{}
	for _, i := range list {
		if err := i.check(); err != nil {
			return fmt.Errorf("issuer %q: %w", i.URL, err)
		}
		if urls[i.URL] || names[i.Name] {
			return fmt.Errorf("issuer %q: issuers need different URLs and, when there are several, different names", i.URL)
		}
		urls[i.URL], names[i.Name] = true, true
	}
	return nil
}

func (i Issuer) check() error {
	if i.URL == "" || i.Audience == "" || i.RolesClaim == "" || len(i.Roles) == 0 {
		return errors.New("issuer, audience, roles_claim and roles are required")
	}
	if (i.Agency == "") == (i.AgencyClaim == "") {
		return errors.New("give either agency or agency_claim")
	}
	if i.AgencyClaim != "" && len(i.Agencies) == 0 && i.AgencyPattern == "" {
		return errors.New("agency_claim needs the allowed agencies, or an agency_pattern")
	}
	if _, err := regexp.Compile(i.AgencyPattern); err != nil {
		return fmt.Errorf("agency_pattern: %w", err)
	}
	for _, name := range i.Roles {
		if _, err := roleOf(name); err != nil {
			return err
		}
	}
	return nil
}

// roleOf reads a role's name. A token cannot make anybody the public, which has none, or the mesh itself.
func roleOf(name string) (accessv1.Role, error) {
	role := accessv1.Role(accessv1.Role_value["ROLE_"+name])
	switch role {
	case accessv1.Role_ROLE_UNSPECIFIED:
		return 0, fmt.Errorf("there is no role %q", name)
	case accessv1.Role_ROLE_PUBLIC, accessv1.Role_ROLE_SYSTEM:
		return 0, fmt.Errorf("role %s cannot be given by a token", name)
	default:
		return role, nil
	}
}

// claims maps a verified token's claims to an actor.
type claims struct {
	Issuer
	roles   map[string]accessv1.Role
	pattern *regexp.Regexp
}

func newClaims(i Issuer) (*claims, error) {
	c := &claims{Issuer: i, roles: map[string]accessv1.Role{}}
	for value, name := range i.Roles {
		role, err := roleOf(name)
		if err != nil {
			return nil, err
		}
		c.roles[value] = role
	}
	if i.AgencyPattern != "" {
		pattern, err := regexp.Compile(`^(?:` + i.AgencyPattern + `)$`) // the whole name, or cmcc would be cmcc-44 too
		if err != nil {
			return nil, err
		}
		c.pattern = pattern
	}
	return c, nil
}

// actor is who the claims speak of. Its errors may be shown: they hold no claim's value.
func (c *claims) actor(subject string, values map[string]any) (*commonv1.Actor, error) {
	if subject == "" {
		return nil, errors.New("the token names no subject")
	}
	if c.Name != "" {
		subject = c.Name + "/" + subject
	}
	actor := &commonv1.Actor{Subject: subject, AgencyId: c.Agency}
	for _, value := range texts(lookUp(values, c.RolesClaim)) {
		if role, ok := c.roles[value]; ok && !slices.Contains(actor.GetRoles(), role) {
			actor.Roles = append(actor.Roles, role)
		}
	}
	if c.PartyClaim != "" {
		actor.Party, _ = lookUp(values, c.PartyClaim).(string)
	}
	if c.AgencyClaim != "" {
		actor.AgencyId, _ = lookUp(values, c.AgencyClaim).(string)
	}
	if !c.agencyAllowed(actor) {
		return nil, errors.New("the token names no agency that its issuer may speak for")
	}
	return actor, nil
}

// agencyAllowed holds the agency against the issuer's set. The reported side alone belongs to no agency.
func (c *claims) agencyAllowed(actor *commonv1.Actor) bool {
	agency := actor.GetAgencyId()
	if agency == "" {
		return actor.GetParty() != "" && slices.Equal(actor.GetRoles(), []accessv1.Role{accessv1.Role_ROLE_PARTY})
	}
	return c.Agency != "" || slices.Contains(c.Agencies, agency) || (c.pattern != nil && c.pattern.MatchString(agency))
}

// lookUp follows a dotted path into nested claims; a claim whose own name has dots is found first.
func lookUp(values map[string]any, path string) any {
	if value, ok := values[path]; ok {
		return value
	}
	head, rest, dotted := strings.Cut(path, ".")
	inner, ok := values[head].(map[string]any)
	if !dotted || !ok {
		return nil
	}
	return lookUp(inner, rest)
}

// texts reads a list of texts, or one text with spaces.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var list []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
		return list
	}
	return nil
}
