package assignment

import (
	"bytes"
	"fmt"
	"io/fs"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Threshold is the confidence below which a person decides, where no policy says otherwise.
const Threshold = 0.7

// classifierSeed orders the samples of a training outside of the mesh.
const classifierSeed = 20180701

// fileForm begins a file that Save wrote; the lexicon's version follows.
const fileForm = "quietline model of lexicon "

// Classifier is the classifier without the mesh: the lexicon and what was learned on top of it.
type Classifier struct {
	words *lexicon
	model *model
}

// Labelled is an item of which it is known what it is; empty where it is not.
type Labelled struct {
	ID                        string
	Item                      *assignmentv1.ClassifyItem
	Sector, Category          string
	AltSectors, AltCategories []string // also right
}

// NewClassifier loads a lexicon, BuiltinLexicon or one of the same form.
func NewClassifier(lexicon fs.FS) (*Classifier, error) {
	words, err := loadLexicon(lexicon)
	if err != nil {
		return nil, err
	}
	return &Classifier{words: words}, nil
}

// Classify answers the same for the same item, lexicon and model, always.
func (c *Classifier) Classify(item *assignmentv1.ClassifyItem) *assignmentv1.Class {
	return c.words.classify(item, c.model)
}

// Knows says whether a sector and a category belong to the programme's vocabulary; empty ones do.
func Knows(sector, category string) bool {
	return (sector == "" || sectors[sector]) && (category == "" || categories[category])
}

// Learn learns from rows whose sector or category is known, on top of the lexicon, and says from how many.
func (c *Classifier) Learn(rows []Labelled) int {
	samples := c.words.samples(hasher(0))
	own := len(samples)
	for i, r := range rows {
		s := sample{
			id: fmt.Sprintf("1-%09d", i), features: hasher(0).features(c.words.read(r.Item)),
			sector: placeOf(sectorOrder, r.Sector), category: placeOf(categoryOrder, r.Category),
		}
		if s.sector != none || s.category != none {
			samples = append(samples, s)
		}
	}
	c.model = train(nil, samples, classifierSeed, hasher(0))
	return len(samples) - own
}

// Save is what was learned, as a file: a line with the lexicon that it builds on, and the model.
func (c *Classifier) Save() ([]byte, error) {
	raw, err := c.model.encode()
	return append([]byte(fileForm+c.words.version+"\n"), raw...), err
}

// Load takes what Save wrote, if it was learned on this lexicon.
func (c *Classifier) Load(raw []byte) error {
	head, rest, _ := bytes.Cut(raw, []byte("\n"))
	lexicon, ok := bytes.CutPrefix(head, []byte(fileForm))
	switch {
	case !ok:
		return errModel
	case string(lexicon) != c.words.version:
		return fmt.Errorf("%w: it was learned on lexicon %q, this is lexicon %s: learn again", errModel, lexicon, c.words.version)
	}
	m, err := decodeModel(rest, hasher(0))
	if err != nil {
		return err
	}
	c.model = m
	return nil
}

// Evaluate holds answers against what is known, strictly and leniently.
func (c *Classifier) Evaluate(rows []Labelled) (strict, lenient *assignmentv1.Evaluation) {
	outcomes := make([]outcome, len(rows))
	for i, r := range rows {
		got := c.Classify(r.Item)
		outcomes[i] = outcome{
			sector: r.Sector, category: r.Category, altSectors: r.AltSectors, altCategories: r.AltCategories,
			saidSector: got.GetSector(), saidCategory: got.GetCategory(), below: got.GetConfidence() < Threshold,
		}
		outcomes[i].judge()
	}
	return figures(outcomes, false), figures(outcomes, true)
}
