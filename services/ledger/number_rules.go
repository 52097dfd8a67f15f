package ledger

import (
	"strings"

	"quietline/internal/errs"
	"quietline/internal/phone"
)

// numbers is what an allocation is of, in the one form in which the ledger keeps it.
type numbers struct {
	scheme   string
	from, to numberKey
}

func (n numbers) first() string { return digitsOf(n.from.digits, n.from.value) }
func (n numbers) last() string  { return digitsOf(n.to.digits, n.to.value) }

// canonical brings numbers as somebody sent them into the form in which the ledger keeps them. The scheme is a function of
// the number: a 96 code is one of its province, which gives it out (各省通信管理局核配), and every other number is national, a
// landline with its area code. So 0571-88880003, 057188880003 and 88880003 of the scheme 0571 are one number, and no number
// can be held twice under two names. An empty last number means a single one.
func canonical(scheme, first, last string) (numbers, error) {
	scheme = strings.TrimSpace(scheme)
	from, of, err := whole("first_number", scheme, first)
	if err != nil {
		return numbers{}, err
	}
	to := from
	if last != "" {
		within := scheme
		if area := phone.AreaCode(from); area != "" && national(scheme) {
			within = area // the last number may be written without what it shares with the first
			if full, _, err := whole("last_number", scheme, last); err == nil {
				within, last = scheme, full
			}
		}
		var also string
		if to, also, err = whole("last_number", within, last); err != nil {
			return numbers{}, err
		}
		if also != of {
			return numbers{}, errs.Field("last_number", "a block is of one scheme: the first number is of %s, the last of %s", of, also)
		}
	}
	a, b, err := block(from, to)
	if err == nil && phone.AreaCode(from) != phone.AreaCode(to) {
		err = errs.Field("last_number", "a block is of one area")
	}
	return numbers{of, a, b}, err
}

func national(scheme string) bool { return scheme == "" || scheme == National }

// whole is one number with all that belongs to it, and its scheme.
func whole(path, scheme, sent string) (number, of string, err error) {
	number, area := bare(sent), ""
	if code, shown, ok := phone.Local96(number); ok {
		number, area = code, shown
	}
	switch kind := phone.Parse(number).GetKind(); {
	case kind == phone.Code96:
		of, err = provinceOf(scheme, area)
		return number, of, err
	case national(scheme) && local(number):
		return "", "", errs.Field(path, "a landline has its area code: 0571-88880003, or its area code as scheme (固定电话须带区号)")
	case national(scheme):
		return number, National, nil
	case local(number):
		if number = scheme + number; phone.Parse(number).GetKind() == phone.Landline && phone.AreaCode(number) == scheme {
			return number, National, nil
		}
	case kind == phone.Landline && phone.AreaCode(number) == scheme:
		return number, National, nil
	}
	return "", "", errs.Field("scheme", "is not the number's: a 96 code has its province or area code, a landline its area code, "+
		"every other number %q", National)
}

// provinceOf is the province that a 96 code is one of: by the area code that it was shown with, and by what was said.
func provinceOf(scheme, area string) (string, error) {
	said := scheme
	if phone.ProvinceName(said) == "" {
		said = phone.AreaProvince(scheme)
	}
	shown := phone.AreaProvince(area)
	switch {
	case said == "" && !national(scheme), said != "" && shown != "" && said != shown:
		return "", errs.Field("scheme", "a 96 code is one of a province: its GB/T 2260 code or an area code in it, and the one it is shown with")
	case said != "":
		return said, nil
	case shown != "":
		return shown, nil
	}
	return "", errs.Field("scheme", "a 96 code is given out by every province anew: say which, by GB/T 2260 or area code (96 号码由各省核配)")
}

// bare is a number without the marks that people set into it. What the numbering plan writes in one way only is written so;
// what is forged or unknown stays as it was sent, so that it is nobody else's number.
func bare(sent string) string {
	n := phone.Parse(sent)
	if phone.Usable(n) && !phone.Forged(n.GetKind()) && n.GetKind() != phone.Foreign {
		return n.GetNormal()
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()（）·.‐–—", r) {
			return -1
		}
		return r
	}, sent)
}

// local says whether digits are a subscriber's number without its area code.
func local(number string) bool {
	return (len(number) == 7 || len(number) == 8) && number[0] >= '2' && number[0] <= '8'
}
