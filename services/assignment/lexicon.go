package assignment

import (
	"cmp"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
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
	lexiconFile       = "lexicon.csv"       // word, sector, category, level2, weight, with (one of), without (none of), reason
	axesFile          = "axes.csv"          // axis (method, channel, lender, threats), value, word, weight, with, without
	organisationsFile = "organisations.csv" // name, numbers, sector, lender, weight
	typesFile         = "types.csv"         // field (type, kind), value, sector, category, level2, weight
	taxonomyFile      = "taxonomy.csv"      // level2, category, sector, name, source
	variantsFile      = "variants.csv"      // variant, standard, kind: what other scripts (script) or spammers (disguise) write instead
	placeholdersFile  = "placeholders.csv"  // token, stands_for: what anonymised collections write in place of contacts
	trainingFile      = "training.csv"      // text, sector, category: made-up rows to learn from beside the confirmed ones
	versionFile       = "version.csv"       // version, note
)

// none is no sector, category or class.
const none = int8(-1)

// entry is a word that speaks for a sector, a category, a class, or a value of another axis.
type entry struct {
	word                     string
	sector, category, level2 int8
	axis, value              string
	weight                   float64
	with, without            []int32 // context words by their number; with: one of them must stand there too
}

// organisation is whose name or service number it is.
type organisation struct {
	name   string
	sector int8
	lender string
	weight float64
}

// lexicon is what the classifier knows. It is read-only after loading.
type lexicon struct {
	normaliser
	taxonomy
	version string
	words   []string  // every word that is looked for, context words included
	entries [][]entry // by word number
	trie    trie
	kinds   map[string][]entry // by kind of number
	types   trie               // words within the type that the reporter chose
	chosen  [][]entry          // by number in types
	firms   trie               // names within a company's name
	orgs    []organisation     // by number in firms
	numbers map[string]int32   // service number to place in orgs
	index   map[string]int32   // of words, while loading

	combinations []combination
	starts       map[int32][]int32 // by a word of their first group
	// costs are by category, 1 where nothing else is said: where the lexicon decides alone, and where a model does.
	costs, learnedCosts [numCategories]float64

	training []Labelled
}

func loadLexicon(files fs.FS) (*lexicon, error) {
	l := &lexicon{kinds: map[string][]entry{}, numbers: map[string]int32{}, index: map[string]int32{}, starts: map[int32][]int32{}}
	for i := range l.costs {
		l.costs[i], l.learnedCosts[i] = 1, 1
	}
	l.variants, l.disguises, l.simple = map[rune]rune{}, map[rune]bool{}, map[rune]bool{}
	err := errors.Join(
		eachRow(files, versionFile, 2, func(r []string) error { l.version = r[0]; return nil }),
		eachRow(files, variantsFile, 3, l.addVariant),
		eachRow(files, placeholdersFile, 2, l.addPlaceholder),
		eachRow(files, taxonomyFile, 5, l.taxonomy.add),
		eachRow(files, lexiconFile, 8, l.addWord),
		eachRow(files, combinationsFile, 9, l.addCombination),
		eachRow(files, costsFile, 4, l.addCost),
		eachRow(files, axesFile, 6, l.addAxis),
		eachRow(files, organisationsFile, 5, l.addOrganisation),
		eachRow(files, typesFile, 6, l.addType),
		eachRow(files, trainingFile, 3, l.addTraining),
	)
	if err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	if l.version == "" || len(l.words) == 0 {
		return nil, errors.New("lexicon: no version or no words")
	}
	l.index = nil
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
	switch r[2] {
	case "script":
		l.simple[to] = true
	case "disguise":
		l.disguises[from] = true
	default:
		return fmt.Errorf("unknown kind of variant %q", r[2])
	}
	l.variants[from] = to
	return nil
}

func (l *lexicon) addPlaceholder(r []string) error {
	mark, ok := marks[r[1]]
	if !ok || r[0] == "" {
		return fmt.Errorf("placeholder %q stands for unknown %q", r[0], r[1])
	}
	l.tokens = append(l.tokens, token{strings.ToUpper(r[0]), mark})
	slices.SortStableFunc(l.tokens, func(a, b token) int { return cmp.Compare(len(b.text), len(a.text)) })
	return nil
}

func (l *lexicon) addWord(r []string) error {
	if r[7] == "" {
		return errors.New("a word has a reason")
	}
	e, err := l.entry(r[0], r[1], r[2], r[3], r[4])
	if err != nil {
		return err
	}
	return l.enter(e, r[5], r[6])
}

// values of the axes besides the taxonomy's.
var axes = map[string][]string{
	"method": {"manual", "recorded", "bombing", "one_ring"}, "channel": {"voice", "sms"},
	"lender": {"licensed", "small_lender", "unlicensed"}, "threats": {"yes"},
}

func (l *lexicon) addAxis(r []string) error {
	weight, err := parseWeight(r[3])
	if err != nil {
		return err
	}
	if !slices.Contains(axes[r[0]], r[1]) {
		return fmt.Errorf("axis %q has no value %q", r[0], r[1])
	}
	return l.enter(entry{word: r[2], sector: none, category: none, level2: none, axis: r[0], value: r[1], weight: weight}, r[4], r[5])
}

func (l *lexicon) enter(e entry, with, without string) error {
	n, err := l.number(e.word)
	if err != nil {
		return err
	}
	if e.with, err = l.context(with); err != nil {
		return err
	}
	if e.without, err = l.context(without); err != nil {
		return err
	}
	l.entries[n] = append(l.entries[n], e)
	return nil
}

func (l *lexicon) context(list string) ([]int32, error) {
	var found []int32
	for word := range strings.SplitSeq(list, "|") {
		if word == "" {
			continue
		}
		n, err := l.number(word)
		if err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	return found, nil
}

// number is the number of a word, which is looked for from now on.
func (l *lexicon) number(word string) (int32, error) {
	normal := l.normalise(word)
	if len(normal) == 0 {
		return 0, errors.New("a word needs letters or digits")
	}
	key := string(normal)
	if n, ok := l.index[key]; ok {
		return n, nil
	}
	n := int32(len(l.words))
	l.index[key] = n
	l.words = append(l.words, word)
	l.entries = append(l.entries, nil)
	l.trie.add(normal, n)
	return n, nil
}

func (l *lexicon) addOrganisation(r []string) error {
	weight, err := parseWeight(r[4])
	if err != nil {
		return err
	}
	if !sectors[r[2]] {
		return fmt.Errorf("unknown sector %q", r[2])
	}
	if r[3] != "" && !slices.Contains(axes["lender"], r[3]) {
		return fmt.Errorf("unknown lender %q", r[3])
	}
	name := l.normalise(r[0])
	if len(name) == 0 {
		return errors.New("an organisation needs a name")
	}
	n := int32(len(l.orgs))
	l.orgs = append(l.orgs, organisation{r[0], placeOf(sectorOrder, r[2]), r[3], weight})
	l.firms.add(name, n)
	for number := range strings.SplitSeq(r[1], "|") {
		if _, taken := l.numbers[number]; number != "" && !taken {
			l.numbers[number] = n
		}
	}
	return nil
}

func (l *lexicon) addType(r []string) error {
	e, err := l.entry(r[1], r[2], r[3], r[4], r[5])
	if err != nil {
		return err
	}
	switch r[0] {
	case "kind":
		l.kinds[r[1]] = append(l.kinds[r[1]], e)
	case "type":
		word := l.normalise(r[1])
		if len(word) == 0 {
			return errors.New("a type needs a name")
		}
		l.types.add(word, int32(len(l.chosen)))
		l.chosen = append(l.chosen, []entry{e})
	default:
		return fmt.Errorf("unknown field %q", r[0])
	}
	return nil
}

func (l *lexicon) addTraining(r []string) error {
	if !Knows(r[1], r[2]) || r[1] == "" || r[2] == "" {
		return fmt.Errorf("unknown sector %q or category %q", r[1], r[2])
	}
	l.training = append(l.training, Labelled{Item: &assignmentv1.ClassifyItem{Text: r[0]}, Sector: r[1], Category: r[2]})
	return nil
}

func (l *lexicon) entry(word, sector, category, class, weight string) (entry, error) {
	w, err := parseWeight(weight)
	if err != nil {
		return entry{}, err
	}
	e := entry{word: word, sector: none, category: none, level2: none, weight: w}
	if class != "" {
		place, ok := l.place[class]
		if !ok {
			return entry{}, fmt.Errorf("unknown class %q", class)
		}
		e.level2 = place
	}
	switch {
	case sector == "" && category == "":
		return entry{}, errors.New("neither sector nor category")
	case sector != "" && !sectors[sector]:
		return entry{}, fmt.Errorf("unknown sector %q", sector)
	case category != "" && !categories[category]:
		return entry{}, fmt.Errorf("unknown category %q", category)
	}
	e.sector, e.category = placeOf(sectorOrder, sector), placeOf(categoryOrder, category)
	return e, nil
}

func placeOf(names []string, name string) int8 { return int8(slices.Index(names, name)) }

func parseWeight(s string) (float64, error) {
	w, err := strconv.ParseFloat(s, 64)
	if err != nil || w <= 0 || w > 10 {
		return 0, fmt.Errorf("weight %q is not a number above 0 and up to 10", s)
	}
	return w, nil
}
