package ledger

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

var shanghai = calendar.Shanghai

// firm is who a row names.
type firm struct{ name, code, licence, sector string }

// firmsIn are those that a row names.
func firmsIn(r format.Row) []firm {
	switch r[format.About] {
	case format.AboutSublet:
		return []firm{{code: r[format.CreditCode]}, {name: r[format.SubHolder], code: r[format.SubCode]}}
	case format.AboutLicence:
		return []firm{{name: r[format.Holder], code: r[format.CreditCode], sector: r[format.Sector]}}
	}
	all := []firm{{r[format.Holder], r[format.CreditCode], r[format.Licence], r[format.Sector]}}
	if code := r[format.Principal]; code != "" {
		all = append(all, firm{name: r[format.PrincipalName], code: code})
	}
	return all
}

// findHolders finds out who the rows of a page name; who is not known gets an entry with the load.
func (j *judging) findHolders(ctx context.Context, said []format.Row) error {
	var all []firm
	var codes, names []string
	for _, r := range said {
		all = append(all, firmsIn(r)...)
	}
	for _, f := range all {
		codes = append(codes, f.code)
		if f.code == "" {
			names = append(names, f.name)
		}
	}
	known, err := j.q.HoldersByCode(ctx, unknown(codes, j.holders))
	if err != nil {
		return err
	}
	for _, h := range known {
		j.holders[h.CreditCode] = h.HolderID
	}
	named, err := j.q.HoldersByName(ctx, store.HoldersByNameParams{Names: unknown(names, j.names), AccessOperatorID: j.load.AccessOperatorID})
	if err != nil {
		return err
	}
	for _, h := range named {
		if _, twice := j.names[h.Name]; !twice {
			j.names[h.Name] = h.HolderID
		}
	}
	return j.newHolders(ctx, all)
}

// unknown are the texts that a map has not, each once.
func unknown(all []string, known map[string]string) []string {
	out := []string{}
	for _, text := range all {
		if _, ok := known[text]; !ok && text != "" {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// newHolders enters who is not known, under an identifier that follows from the load, so that comparing again gives the same.
func (j *judging) newHolders(ctx context.Context, all []firm) error {
	in := store.InsertLoadHoldersParams{LoadID: j.load.LoadID}
	for _, f := range all {
		key, of := f.code, j.holders
		if key == "" {
			key, of = f.name, j.names
		}
		if f.name == "" || of[key] != "" {
			continue
		}
		id := uuid.NewSHA1(uuid.MustParse(j.load.LoadID), []byte(key)).String()
		of[key] = id
		j.firms[id] = &applicant{code: f.code}
		in.Ids, in.Names, in.Codes = append(in.Ids, id), append(in.Names, f.name), append(in.Codes, f.code)
		in.Licences, in.Sectors = append(in.Licences, f.licence), append(in.Sectors, f.sector)
	}
	if len(in.Ids) == 0 {
		return nil
	}
	return j.q.InsertLoadHolders(ctx, in)
}

// holderOf is who a row names: by the credit code, and by the name only where it has none.
func (j *judging) holderOf(r format.Row) string {
	if code := r[format.CreditCode]; code != "" {
		return j.holders[code]
	}
	return j.names[r[format.Holder]]
}

// firmOf reads what the rules look at of a holder, once for a load.
func (j *judging) firmOf(ctx context.Context, holder string) (*applicant, error) {
	f, ok := j.firms[holder]
	if ok && f.lists != nil {
		return f, nil
	}
	if !ok { // one that the ledger has
		h, err := j.q.HolderByID(ctx, holder)
		if err != nil {
			return nil, err
		}
		f = &applicant{code: h.CreditCode}
		if f.licences, err = j.q.LicencesKnown(ctx, holder); err != nil {
			return nil, err
		}
		if f.live, err = j.q.HoldsLive(ctx, store.HoldsLiveParams{HolderID: holder, At: j.s.now()}); err != nil {
			return nil, err
		}
	}
	if l, ok := j.brought[holder]; ok {
		f.licences = l
	}
	var err error
	if f.lists, err = j.s.listed(ctx, f.code, j.s.now()); err != nil {
		return nil, err
	}
	j.firms[holder] = f
	return f, nil
}

// writeFirms writes down on which lists the firms were that the load gives something to.
func (j *judging) writeFirms(ctx context.Context) error {
	in := store.InsertLoadFirmsParams{LoadID: j.load.LoadID}
	for holder, f := range j.firms {
		if f.lists == nil || f.code == "" {
			continue
		}
		in.Ids, in.Codes = append(in.Ids, holder), append(in.Codes, f.code)
		in.Bad, in.Dishonest = append(in.Bad, f.lists.bad), append(in.Dishonest, f.lists.dishonest)
	}
	if len(in.Ids) == 0 {
		return nil
	}
	return j.q.InsertLoadFirms(ctx, in)
}
