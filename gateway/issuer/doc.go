// Package issuer is the identity provider of the embedded default (演示身份提供方): the smallest OpenID issuer
// that lets `quietline up` work on one machine the way it works with a ministry's own provider.
//
// It is mounted by the gateway under /issuer and offers a discovery document, a key set and a token endpoint
// (OAuth 2.0 client credentials, on ory/fosite). There is one confidential client, "demo"; whom a token speaks
// for is asked by scope:
//
//	role:CASEWORKER agency:miit sub:zhang      a caseworker zhang of the agency miit
//	role:PARTY party:91110000100000000X        the reported side, bound to a credit code
//
// Tokens are JWTs signed with ES256 and live for one hour. They are not stored and cannot be revoked.
//
// Invariants:
//   - the signing key and the client secret live in <data>/secrets, mode 0600, and nowhere else;
//   - the gateway MUST NOT mount the issuer on an address that others can reach: whoever can read the secret
//     may be anybody.
package issuer
