package assignment

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"unicode"
)

const (
	// buckets of hashed n-grams. Two n-grams in one bucket share their weights.
	bucketBits = 18
	buckets    = 1 << bucketBits
	// longestGram is in characters.
	longestGram = 3
	// maxGrams bounds what is kept of a report: a longer text is read from its beginning.
	maxGrams = 1200
	// numDense is how many scores of the lexicon stand beside the n-grams.
	numDense = numSectors + numCategories
	// denseUnit is what one unit of a score counts when it becomes a feature.
	denseUnit = 4.0
)

// features is all that is kept of a report to learn from: which hashed n-grams its text has, and what the lexicon made of
// it. The hash is keyed, so that the text cannot be read from them.
type features struct {
	grams []uint32 // distinct, in order
	dense [numDense]float32
}

// hasher hashes n-grams under a key.
type hasher uint64

// gram is one n-gram of a text.
type gram struct {
	bucket   uint32
	from, to int32
}

func mix(h uint64) uint64 { // the finalizer of splitmix64
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// gramsOf are the n-grams of a normal text, runs of digits being one number.
func (h hasher) gramsOf(text []rune) (stream []rune, grams []gram) {
	stream = make([]rune, 0, len(text))
	for _, r := range text {
		if unicode.IsDigit(r) {
			r = markNumber
		}
		if r != markNumber || len(stream) == 0 || stream[len(stream)-1] != markNumber {
			stream = append(stream, r)
		}
	}
	grams = make([]gram, 0, min(longestGram*len(stream), maxGrams))
	for i := range stream {
		sum := uint64(h)
		for j := i; j < min(i+longestGram, len(stream)); j++ {
			sum = mix(sum ^ uint64(stream[j]))
			if len(grams) == maxGrams {
				return stream, grams
			}
			grams = append(grams, gram{uint32(sum >> (64 - bucketBits)), int32(i), int32(j + 1)})
		}
	}
	return stream, grams
}

func (h hasher) features(r *reading) *features {
	_, grams := h.gramsOf(r.text)
	return featuresOf(r, grams)
}

func featuresOf(r *reading, grams []gram) *features {
	f := &features{grams: make([]uint32, len(grams)), dense: r.dense()}
	for i, g := range grams {
		f.grams[i] = g.bucket
	}
	slices.Sort(f.grams)
	f.grams = slices.Compact(f.grams)
	return f
}

func (r *reading) dense() [numDense]float32 {
	var d [numDense]float32
	for i, s := range r.sector {
		d[i] = float32(min(s, saturation) / denseUnit)
	}
	for i, s := range r.category {
		d[numSectors+i] = float32(min(s, saturation) / denseUnit)
	}
	return d
}

// encode packs features: scores in hundredths, then the distances between n-grams.
func (f *features) encode() []byte {
	out := make([]byte, 0, numDense+2*len(f.grams))
	for _, d := range f.dense {
		out = binary.AppendUvarint(out, uint64(math.Round(float64(d)*100)))
	}
	last := uint32(0)
	for _, g := range f.grams {
		out = binary.AppendUvarint(out, uint64(g-last))
		last = g
	}
	return out
}

var errFeatures = errors.New("features are cut off or not ours")

func decodeFeatures(raw []byte) (*features, error) {
	f := &features{}
	for i := range f.dense {
		d, n := binary.Uvarint(raw)
		if n <= 0 {
			return nil, errFeatures
		}
		f.dense[i], raw = float32(d)/100, raw[n:]
	}
	last := uint64(0)
	for len(raw) > 0 {
		d, n := binary.Uvarint(raw)
		if last += d; n <= 0 || last >= buckets || len(f.grams) == maxGrams {
			return nil, errFeatures
		}
		f.grams, raw = append(f.grams, uint32(last)), raw[n:]
	}
	return f, nil
}
