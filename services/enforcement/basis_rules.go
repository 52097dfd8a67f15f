package enforcement

import (
	"regexp"
	"strconv"
	"strings"

	"quietline/services/enforcement/store"
)

var (
	articleDigits = regexp.MustCompile(`第?([0-9]{1,3})条?`)
	between       = strings.NewReplacer(" ", "", "\u3000", "", "《", "", "》", "", "(", "", ")", "", "\uff08", "", "\uff09", "",
		"中华人民共和国", "", "征求意见稿", "")
	numerals = []string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
)

// chinese is a number of an article as laws write it, below a thousand.
func chinese(n int) string {
	var b strings.Builder
	if n >= 100 {
		b.WriteString(numerals[n/100] + "百")
		if n%100 > 0 && n%100 < 10 {
			b.WriteString("零")
		}
	}
	if tens := n % 100 / 10; tens > 0 {
		if tens > 1 || n >= 100 {
			b.WriteString(numerals[tens])
		}
		b.WriteString("十")
	}
	b.WriteString(numerals[n%10])
	return b.String()
}

// plain is a citation without what writers add or leave out.
func plain(basis string) string {
	basis = between.Replace(basis)
	return articleDigits.ReplaceAllStringFunc(basis, func(m string) string {
		n, err := strconv.Atoi(articleDigits.FindStringSubmatch(m)[1])
		if err != nil || n == 0 || strings.HasPrefix(m, "0") {
			return m
		}
		return "第" + chinese(n) + "条"
	})
}

// cites says whether a basis in words names a row's law, and whether its article too.
func cites(basis string, p store.Penalty) (law, article bool) {
	said := plain(basis)
	law = strings.Contains(said, between.Replace(p.Law))
	return law, law && strings.Contains(said, between.Replace(p.Article))
}

// rowFor finds the row that a penalty stands on: by its code, else by what its basis says in words.
func rowFor(catalogue []store.Penalty, code, basis string) (store.Penalty, bool) {
	var draft *store.Penalty
	for i, p := range catalogue {
		law, article := cites(basis, p)
		switch {
		case code != "" && p.Code == code, code == "" && article:
			return p, true
		case code == "" && law && p.Profile == simulation: // nobody knows its articles
			draft = &catalogue[i]
		}
	}
	if draft != nil {
		return *draft, true
	}
	return store.Penalty{}, false
}

// citesDraft says whether a basis names a text that is no law.
func citesDraft(catalogue []store.Penalty, basis string) (store.Penalty, bool) {
	for _, p := range catalogue {
		if law, _ := cites(basis, p); law && p.Profile == simulation {
			return p, true
		}
	}
	return store.Penalty{}, false
}
