package issuer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	accessv1 "quietline/proto/quietline/access/v1"
)

// AgencyPattern is what an agency of a demo account may look like.
const AgencyPattern = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`

// value is what may stand behind a scope's colon: no spaces, no quotes, nothing a log or a URL would trip over.
var value = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// account is whom a token speaks for.
type account struct {
	subject, agency, party string
	roles                  []string
}

// Roles lists the roles that a demo account may have: all but the public, who has no token, and the mesh itself.
func Roles() []string {
	var roles []string
	for number, name := range accessv1.Role_name {
		switch accessv1.Role(number) {
		case accessv1.Role_ROLE_UNSPECIFIED, accessv1.Role_ROLE_PUBLIC, accessv1.Role_ROLE_SYSTEM:
		default:
			roles = append(roles, strings.TrimPrefix(name, "ROLE_"))
		}
	}
	slices.Sort(roles)
	return roles
}

func validScope(scope string) bool {
	kind, val, _ := strings.Cut(scope, ":")
	switch kind {
	case "role":
		return slices.Contains(Roles(), val)
	case "agency", "sub", "party":
		return value.MatchString(val)
	}
	return false
}

// accountOf reads the account from its scopes.
func accountOf(scopes []string) (account, error) {
	var who account
	for _, scope := range scopes {
		kind, val, _ := strings.Cut(scope, ":")
		switch kind {
		case "role":
			who.roles = append(who.roles, val)
		case "agency":
			who.agency = val
		case "sub":
			who.subject = val
		case "party":
			who.party = val
		}
	}
	if len(who.roles) == 0 {
		return account{}, errors.New(`ask for a role, such as "role:CASEWORKER agency:miit"`)
	}
	if who.agency == "" && who.party == "" {
		return account{}, errors.New(`ask for an agency, such as "agency:miit", or for role PARTY a "party:<credit code>"`)
	}
	if who.subject == "" {
		who.subject = strings.ToLower(who.roles[0]) + "@" + who.agency + who.party
	}
	return who, nil
}

func (a account) claims() map[string]any {
	claims := map[string]any{"roles": a.roles}
	if a.agency != "" {
		claims["agency"] = a.agency
	}
	if a.party != "" {
		claims["party"] = a.party
	}
	return claims
}

// scopeOf is the scope that asks for an account; of a PARTY the agency is the credit code or case it is bound to.
func scopeOf(role, agency, subject string) (string, error) {
	role = strings.ToUpper(strings.TrimPrefix(role, "ROLE_"))
	scopes := []string{"role:" + role, "agency:" + agency}
	if role == "PARTY" {
		scopes[1] = "party:" + agency
	}
	if subject != "" {
		scopes = append(scopes, "sub:"+subject)
	}
	for _, scope := range scopes {
		if !validScope(scope) {
			return "", fmt.Errorf("%q is not an account: roles are %s, names are letters, digits and . _ - @",
				role+"@"+agency, strings.Join(Roles(), ", "))
		}
	}
	return strings.Join(scopes, " "), nil
}
