package assignment

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:embed data/*.csv
var builtin embed.FS

// BuiltinLexicon is the lexicon that comes with the program.
func BuiltinLexicon() fs.FS {
	sub, err := fs.Sub(builtin, "data")
	if err != nil { // the directory is embedded above
		panic(err)
	}
	return sub
}

// The files of a lexicon. All of them are data: words and what they speak for, with a weight between 0 and 10.
const (
	lexiconFile  = "lexicon.csv"  // word, sector, category, weight, with (one of), without (none of)
	evidenceFile = "evidence.csv" // field (type, kind, company), value, sector, category, weight
	variantsFile = "variants.csv" // variant, standard: characters that spammers or other scripts write instead
	versionFile  = "version.csv"  // version, note
)

// entry is a word that speaks for a sector, a category or both.
type entry struct {
	word             string
	sector, category string
	weight           float64
	with, without    []int32 // context words by their number; with: one of them must stand there too
}

// lexicon is what the classifier knows. It is read-only after loading.
type lexicon struct {
	version  string
	words    []string  // every word that is looked for, context words included
	entries  [][]entry // by word number
	trie     trie
	facts    map[string][]entry // "type:..." and "kind:..." to what they speak for
	company  trie               // names within the company field
	firms    [][]entry          // by number in company
	variants map[rune]rune
}

func loadLexicon(files fs.FS) (*lexicon, error) {
	l := &lexicon{facts: map[string][]entry{}, variants: map[rune]rune{}}
	numbers := map[string]int32{}
	err := errors.Join(
		eachRow(files, versionFile, 2, func(r []string) error { l.version = r[0]; return nil }),
		eachRow(files, variantsFile, 2, l.addVariant),
		eachRow(files, lexiconFile, 6, func(r []string) error { return l.addWord(numbers, r) }),
		eachRow(files, evidenceFile, 5, l.addFact),
	)
	if err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	if l.version == "" || len(l.words) == 0 {
		return nil, errors.New("lexicon: no version or no words")
	}
	return l, nil
}

// eachRow reads the rows under a file's header.
func eachRow(files fs.FS, name string, columns int, row func([]string) error) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = columns
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i, fields := range rows {
		if i == 0 {
			continue
		}
		if err := row(fields); err != nil {
			return fmt.Errorf("%s, row %d: %w", name, i+1, err)
		}
	}
	return nil
}

func (l *lexicon) addVariant(r []string) error {
	from, n := utf8.DecodeRuneInString(r[0])
	to, m := utf8.DecodeRuneInString(r[1])
	if n != len(r[0]) || m != len(r[1]) || n == 0 || m == 0 {
		return errors.New("a variant and its standard form are one character each")
	}
	l.variants[from] = to
	return nil
}

func (l *lexicon) addWord(numbers map[string]int32, r []string) error {
	e, err := parseEntry(r[0], r[1], r[2], r[3])
	if err != nil {
		return err
	}
	n, err := l.number(numbers, r[0])
	if err != nil {
		return err
	}
	if e.with, err = l.context(numbers, r[4]); err != nil {
		return err
	}
	if e.without, err = l.context(numbers, r[5]); err != nil {
		return err
	}
	l.entries[n] = append(l.entries[n], e)
	return nil
}

func (l *lexicon) context(numbers map[string]int32, list string) ([]int32, error) {
	var found []int32
	for word := range strings.SplitSeq(list, "|") {
		if word == "" {
			continue
		}
		n, err := l.number(numbers, word)
		if err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	return found, nil
}

// number is the number of a word, which is looked for from now on.
func (l *lexicon) number(numbers map[string]int32, word string) (int32, error) {
	normal := l.normalise(word)
	if len(normal) == 0 {
		return 0, errors.New("a word needs letters or digits")
	}
	key := string(normal)
	if n, ok := numbers[key]; ok {
		return n, nil
	}
	n := int32(len(l.words))
	numbers[key] = n
	l.words = append(l.words, word)
	l.entries = append(l.entries, nil)
	l.trie.add(normal, n)
	return n, nil
}

func (l *lexicon) addFact(r []string) error {
	e, err := parseEntry(r[1], r[2], r[3], r[4])
	if err != nil {
		return err
	}
	switch r[0] {
	case "type", "kind":
		key := r[0] + ":" + r[1]
		l.facts[key] = append(l.facts[key], e)
	case "company":
		normal := l.normalise(r[1])
		if len(normal) == 0 {
			return errors.New("a company needs a name")
		}
		l.company.add(normal, int32(len(l.firms)))
		l.firms = append(l.firms, []entry{e})
	default:
		return fmt.Errorf("unknown field %q", r[0])
	}
	return nil
}

func parseEntry(word, sector, category, weight string) (entry, error) {
	w, err := strconv.ParseFloat(weight, 64)
	switch {
	case err != nil || w <= 0 || w > 10:
		return entry{}, fmt.Errorf("weight %q is not a number above 0 and up to 10", weight)
	case sector == "" && category == "":
		return entry{}, errors.New("neither sector nor category")
	case sector != "" && !sectors[sector]:
		return entry{}, fmt.Errorf("unknown sector %q", sector)
	case category != "" && !categories[category]:
		return entry{}, fmt.Errorf("unknown category %q", category)
	}
	return entry{word: word, sector: sector, category: category, weight: w}, nil
}

// normalise is a text as words are looked for in it: compatibility forms folded, lower case, variants replaced, and
// nothing but letters and digits, since spammers put signs between characters.
func (l *lexicon) normalise(text string) []rune {
	if !norm.NFKC.IsNormalString(text) {
		text = norm.NFKC.String(text)
	}
	out := make([]rune, 0, len(text)/2)
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			continue
		}
		r = unicode.ToLower(r)
		if standard, ok := l.variants[r]; ok {
			r = standard
		}
		out = append(out, r)
	}
	return out
}
