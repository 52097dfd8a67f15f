package assignment

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode"
)

// decide answers with the model, unless the text says nothing to it either.
func (m *model) decide(r *reading, costs *[numCategories]float64) (decision, bool) {
	stream, grams := m.hash.gramsOf(r.text)
	f := featuresOf(r, grams)
	known := 0
	for _, g := range f.grams {
		if m.row[g] >= 0 {
			known++
		}
	}
	if len(r.found) == 0 && known < knownAtLeast {
		return decision{}, false
	}
	d, sector := m.decideFeatures(f, costs)
	d.why = m.why(stream, grams, len(f.grams), sector)
	return d, true
}

// decideFeatures answers from what is kept of a report, and says the place of its sector.
func (m *model) decideFeatures(f *features, costs *[numCategories]float64) (decision, int) {
	out := m.answers(f, costs)
	sector, second, sure := likeliest(sectorOrder, out[:numSectors])
	category, other, alike := likeliest(categoryOrder, out[numSectors:])
	return decision{
		category: categoryOrder[category], secondCategory: other,
		sector: sectorOrder[sector], secondSector: second, confidence: min(sure, alike),
	}, sector
}

// likeliest is the likeliest answer, the next one, and how likely the first is together with its kin.
func likeliest(names []string, p []float32) (first int, second string, confidence float64) {
	first = 0
	for i := range p {
		if p[i] > p[first] {
			first = i
		}
	}
	next := -1
	confidence = float64(p[first])
	for i := range p {
		if i == first {
			continue
		}
		if akin(names[i], names[first]) {
			confidence += float64(p[i])
		}
		if next < 0 || p[i] > p[next] {
			next = i
		}
	}
	return first, names[next], confidence
}

// reason is an n-gram and what it counted.
type reason struct {
	text   string
	weight float32
}

func heavier(a, b reason) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.text, b.text))
}

// why tells the n-grams that spoke most for the sector. One that stood in few reports is not told: it may be somebody's.
func (m *model) why(stream []rune, grams []gram, distinct, sector int) []string {
	var reasons []reason
	value := gramValue(distinct)
	for _, g := range grams {
		row := m.row[g.bucket]
		if row < 0 || m.count[row] < toldFrom || g.to-g.from < 2 {
			continue
		}
		w := m.weights[int(row)*numOutputs+sector] * value
		if w < toldWeight || len(reasons) == gramsAtMost && w < reasons[gramsAtMost-1].weight || !onlyHan(stream[g.from:g.to]) {
			continue
		}
		text := string(stream[g.from:g.to])
		if slices.ContainsFunc(reasons, func(r reason) bool { return r.text == text }) {
			continue
		}
		reasons = append(reasons, reason{text, w})
		slices.SortStableFunc(reasons, heavier)
		reasons = reasons[:min(len(reasons), gramsAtMost)]
	}
	var out []string
	for _, r := range reasons {
		out = append(out, fmt.Sprintf("learned:%s -> %s +%g", r.text, sectorOrder[sector], round(float64(r.weight))))
	}
	return out
}

func onlyHan(text []rune) bool {
	return !slices.ContainsFunc(text, func(r rune) bool { return !unicode.Is(unicode.Han, r) })
}

// modelForm is the first line of a stored model.
const modelForm = "quietline model 2\n"

var errModel = errors.New("not a model of this program, or of other sectors")

// encode is a model as it is stored: without the key of its hash, but saying whether there is one.
func (m *model) encode() ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	head := []uint32{numSectors, numCategories, bucketBits, uint32(len(m.count))}
	parts := []any{[]byte(modelForm), head, m.hash != 0, m.bias, m.dense, m.given, m.places(), m.count, m.weights}
	for _, p := range parts {
		if err := binary.Write(z, binary.LittleEndian, p); err != nil {
			return nil, fmt.Errorf("write model: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write model: %w", err)
	}
	return out.Bytes(), nil
}

// places are the buckets that have weights, in order.
func (m *model) places() []uint32 {
	places := make([]uint32, 0, len(m.count))
	for bucket, row := range m.row {
		if row >= 0 {
			places = append(places, uint32(bucket))
		}
	}
	return places
}

// decodeModel reads what encode wrote, for the hash that it was learned with.
func decodeModel(raw []byte, hash hasher) (*model, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errModel, err)
	}
	m := prior()
	form, head, keyed := make([]byte, len(modelForm)), make([]uint32, 4), false
	read := func(into ...any) {
		for _, p := range into {
			if err == nil {
				err = binary.Read(z, binary.LittleEndian, p)
			}
		}
	}
	read(form, head, &keyed)
	known := [3]uint32{numSectors, numCategories, bucketBits}
	if err != nil || string(form) != modelForm || [3]uint32(head) != known || head[3] > buckets {
		return nil, errModel
	}
	if keyed != (hash != 0) {
		return nil, fmt.Errorf("%w: it belongs to an installation, whose key hashes what it knows, and works nowhere else", errModel)
	}
	places := make([]uint32, head[3])
	m.hash, m.count, m.weights = hash, make([]uint16, head[3]), make([]float32, int(head[3])*numOutputs)
	read(&m.bias, &m.dense, &m.given, places, m.count, m.weights)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errModel, err)
	}
	if _, err := z.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil, errModel
	}
	for i, p := range places {
		if p >= buckets {
			return nil, errModel
		}
		m.row[p] = int32(i)
	}
	return m, nil
}
