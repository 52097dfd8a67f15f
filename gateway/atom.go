package gateway

import (
	"encoding/xml"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// Atom 1.0 (RFC 4287).
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Author  atomAuthor  `xml:"author"`
		Links   []atomLink  `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomEntry struct {
		ID         string         `xml:"id"`
		Title      string         `xml:"title"`
		Updated    string         `xml:"updated"`
		Published  string         `xml:"published"`
		Author     atomAuthor     `xml:"author"`
		Links      []atomLink     `xml:"link"`
		Categories []atomCategory `xml:"category"`
		Summary    string         `xml:"summary"`
	}
	atomAuthor struct {
		Name string `xml:"name"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr,omitempty"`
		Href string `xml:"href,attr"`
	}
	atomCategory struct {
		Term  string `xml:"term,attr"`
		Label string `xml:"label,attr,omitempty"`
	}
)

// feed is the register for feed readers, newest change first. What was withdrawn or has ended stays as an entry that says
// so: readers replace by it what they have.
func (r *register) feed(q *disclosurev1.SearchPublicationsRequest, resp *disclosurev1.SearchPublicationsResponse) []byte {
	f := atomFeed{
		Lang: "zh-CN", ID: "tag:" + identity.TrustDomain + ",2018:" + address("register", q, ""), Title: "公示登记簿",
		Updated: atomTime(nil), Author: atomAuthor{Name: "静线 Quietline"},
		Links: []atomLink{
			{Rel: "self", Type: "application/atom+xml", Href: r.url + address("/register.atom", q, q.GetPageToken())},
			{Rel: "alternate", Type: "text/html", Href: r.url + address("/register", q, "")},
		},
	}
	if token := resp.GetNextPageToken(); token != "" {
		f.Links = append(f.Links, atomLink{Rel: "next", Type: "application/atom+xml", Href: r.url + address("/register.atom", q, token)})
	}
	var newest *timestamppb.Timestamp
	for _, p := range resp.GetPublications() {
		if newest == nil || p.GetUpdateTime().AsTime().After(newest.AsTime()) {
			newest = p.GetUpdateTime()
		}
		f.Entries = append(f.Entries, r.entry(p))
	}
	f.Updated = atomTime(newest)
	body, err := xml.MarshalIndent(f, "", " ")
	if err != nil { // strings always marshal
		return nil
	}
	return append([]byte(xml.Header), body...)
}

func (r *register) entry(p *disclosurev1.Publication) atomEntry {
	author := p.GetAgencyName()
	if author == "" {
		author = p.GetAgencyId()
	}
	e := atomEntry{
		ID: "urn:uuid:" + p.GetPublicationId(), Updated: atomTime(p.GetUpdateTime()), Published: atomTime(p.GetPublishTime()),
		Author: atomAuthor{Name: author}, Categories: []atomCategory{{Term: p.GetKind(), Label: p.GetKindName()}},
		Links: []atomLink{
			{Rel: "alternate", Type: "text/html", Href: r.url + "/register/" + p.GetPublicationId()},
			{Rel: "alternate", Type: "application/json", Href: r.url + "/register/" + p.GetPublicationId() + ".json"},
		},
	}
	switch p.GetState() {
	case "LIVE":
		e.Title = p.GetTitle()
		e.Summary = strings.Join(slicesOf(p.GetPartyName(), p.GetSummary(), "撤下时间:"+inShanghai(p.GetTakeDownTime(), time.DateOnly)), "\n")
	case "WITHDRAWN":
		e.Title = "已撤回:" + p.GetKindName()
		e.Summary = named(causes, p.GetWithdrawnCause()) + "。" + p.GetWithdrawnReason()
		e.Categories = append(e.Categories, atomCategory{Term: "withdrawn", Label: "已撤回"})
	default:
		e.Title = "公示期满:" + p.GetKindName()
		e.Summary = "公示期限已满,内容已撤下。"
		e.Categories = append(e.Categories, atomCategory{Term: "ended", Label: "公示期满"})
	}
	return e
}

// slicesOf are the texts that are not empty.
func slicesOf(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

func atomTime(t *timestamppb.Timestamp) string {
	return t.AsTime().UTC().Format(time.RFC3339) // of none the beginning of 1970: an empty feed never changes
}
