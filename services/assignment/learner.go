package assignment

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	numOutputs = numSectors + numCategories
	// lexiconPrior is what a score of the lexicon counts for its own answer before anything is learned.
	lexiconPrior = 1.4
	// gramScale is the length of a text's n-grams taken together, so that long and short texts weigh the same.
	gramScale = 3.0
	// rate and floor are AdaGrad's.
	rate  = 0.25
	floor = 1e-6
	// decay pulls weights back to what they were before anything was learned.
	decay = 2e-4
	// beforehand is how many reports of each category a sector is taken to have had before anything is learned.
	beforehand = 1
	// ownWeight is what a made-up row counts beside a confirmed report.
	ownWeight = 0.5
	// minReports is how many reports an n-gram must stand in to be learned: what one person wrote is no word.
	minReports = 2
	// steps and gramSteps bound the work of a training, by reports and by their n-grams: a call waits for it.
	steps     = 120_000
	gramSteps = 48_000_000
	maxEpochs = 30
	minEpochs = 3
	// toldFrom is how many reports an n-gram must stand in to be told as a reason.
	toldFrom = 5
	// toldWeight is what an n-gram must count to be told.
	toldWeight = 0.01
	// gramsAtMost bounds the n-grams that are told.
	gramsAtMost = 4
	// knownAtLeast n-grams make a text without a word of the lexicon more than noise.
	knownAtLeast = 4
)

// model is a linear classifier over n-grams and the lexicon's scores: one softmax over sectors, one over categories. It is
// read-only after training, and the same samples and seed give the same model.
type model struct {
	hash    hasher
	row     []int32   // by bucket: place in weights, or -1
	count   []uint16  // by place: reports it stood in
	weights []float32 // by place: numOutputs each
	dense   [numDense][numOutputs]float32
	bias    [numOutputs]float32
	given   [numSectors][numCategories]float32 // share of the categories in each sector
}

// sample is a confirmed report.
type sample struct {
	id               string // order and fold follow from it
	group            string // what belongs together is learned from or held back together
	features         *features
	sector, category int8 // none where nothing was confirmed
	own              bool // made up, not confirmed
}

// prior is the model that has learned nothing: the lexicon's scores count for their own answers.
func prior() *model {
	m := &model{row: make([]int32, buckets)}
	for i := range m.row {
		m.row[i] = -1
	}
	for i := range numDense {
		m.dense[i][i] = lexiconPrior
	}
	m.shares(nil)
	return m
}

// shares counts which categories go with which sector, some of each beforehand.
func (m *model) shares(samples []sample) {
	var counts [numSectors][numCategories]float32
	for i := range samples {
		s := &samples[i]
		switch {
		case s.sector == none || s.category == none:
		case s.own:
			counts[s.sector][s.category] += ownWeight
		default:
			counts[s.sector][s.category]++
		}
	}
	for s := range counts {
		sum := float32(0)
		for c := range counts[s] {
			counts[s][c] += beforehand
			sum += counts[s][c]
		}
		for c := range counts[s] {
			m.given[s][c] = counts[s][c] / sum
		}
	}
}

// train learns from samples, in the order of their IDs. Every report is learned twice, once without the lexicon's scores,
// so that n-grams also stand alone where the lexicon knows no word. Made-up rows are learned without them both times: they
// were written beside the lexicon, which is right about them too often to be trusted for it. When it is stopped first, the
// model is not whole.
func train(stop <-chan struct{}, samples []sample, seed uint64, hash hasher) *model {
	samples = slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return compareStrings(a.id, b.id) })
	m := prior()
	m.hash = hash
	m.vocabulary(samples)
	m.shares(samples)
	if len(samples) == 0 {
		return m
	}
	t := trainer{model: m, squares: make([]float32, len(m.weights))}
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	shuffle := rand.New(rand.NewPCG(seed, uint64(len(samples))))
	for range epochs(samples) {
		select {
		case <-stop:
			return m
		default:
		}
		shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			t.learn(&samples[i], !samples[i].own)
			t.learn(&samples[i], false)
		}
	}
	return m
}

// epochs is how often every report is learned from.
func epochs(samples []sample) int {
	grams := 0
	for i := range samples {
		grams += len(samples[i].features.grams)
	}
	return min(max(min(steps/len(samples), gramSteps/max(grams, 1)), minEpochs), maxEpochs)
}

func compareStrings(a, b string) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// vocabulary makes room for the n-grams that stand in enough reports.
func (m *model) vocabulary(samples []sample) {
	counts := make([]uint16, buckets)
	for i := range samples {
		for _, g := range samples[i].features.grams {
			if counts[g] < math.MaxUint16 {
				counts[g]++
			}
		}
	}
	for g, n := range counts {
		if n >= minReports {
			m.row[g] = int32(len(m.count))
			m.count = append(m.count, n)
		}
	}
	m.weights = make([]float32, len(m.count)*numOutputs)
}

type trainer struct {
	*model
	squares      []float32
	denseSquares [numDense][numOutputs]float32
	biasSquares  [numOutputs]float32
}

func (t *trainer) learn(s *sample, lexicon bool) {
	f := s.features
	out := t.score(f.grams, &f.dense, lexicon)
	softmax(out[:numSectors])
	softmax(out[numSectors:])
	g := gradient(&out, s)
	value := gramValue(len(f.grams))
	for _, gram := range f.grams {
		if row := t.row[gram]; row >= 0 {
			at := int(row) * numOutputs
			descend(t.weights[at:at+numOutputs], t.squares[at:at+numOutputs], &g, value, nil)
		}
	}
	descend(t.bias[:], t.biasSquares[:], &g, 0.2, nil)
	if !lexicon {
		return
	}
	for i, d := range f.dense {
		if d > 0 {
			var before [numOutputs]float32
			before[i] = lexiconPrior
			descend(t.dense[i][:], t.denseSquares[i][:], &g, d*0.3, &before)
		}
	}
}

// gradient is what is wrong with an answer: nothing where nothing was confirmed.
func gradient(out *[numOutputs]float32, s *sample) [numOutputs]float32 {
	g := *out
	if s.sector == none {
		clear(g[:numSectors])
	} else {
		g[s.sector]--
	}
	if s.category == none {
		clear(g[numSectors:])
	} else {
		g[numSectors+int(s.category)]--
	}
	if s.own {
		for k := range g {
			g[k] *= ownWeight
		}
	}
	return g
}

// descend is one step of AdaGrad's. The conversions keep processors from fusing the operations, so that all compute the same.
func descend(w, squares []float32, g *[numOutputs]float32, value float32, before *[numOutputs]float32) {
	for k := range w {
		toward := w[k]
		if before != nil {
			toward -= before[k]
		}
		d := float32(g[k]*value) + float32(decay*toward)
		squares[k] += float32(d * d)
		w[k] -= float32(float32(rate*d) / float32(math.Sqrt(float64(squares[k]+floor))))
	}
}

func gramValue(n int) float32 {
	if n == 0 {
		return 0
	}
	return float32(gramScale / math.Sqrt(float64(n)))
}

// score is the model's scores before softmax.
func (m *model) score(grams []uint32, dense *[numDense]float32, lexicon bool) [numOutputs]float32 {
	var out [numOutputs]float32
	for _, g := range grams {
		if row := m.row[g]; row >= 0 {
			w := (*[numOutputs]float32)(m.weights[int(row)*numOutputs:])
			for k := range out {
				out[k] += w[k]
			}
		}
	}
	value := gramValue(len(grams))
	for k := range out {
		out[k] = float32(out[k]*value) + m.bias[k]
	}
	if lexicon {
		for i, d := range dense {
			if d > 0 {
				for k := range out {
					out[k] += float32(d * m.dense[i][k])
				}
			}
		}
	}
	return out
}

// answers are the probabilities of the sectors and the categories. Each sector speaks for the categories that go with it, and
// a category that costs more to miss counts for more: in doubt it is the police's to look.
func (m *model) answers(f *features, costs *[numCategories]float64) [numOutputs]float32 {
	out := m.score(f.grams, &f.dense, true)
	softmax(out[:numSectors])
	softmax(out[numSectors:])
	var sum float32
	for c := range numCategories {
		var spoken float32
		for s := range numSectors {
			spoken += float32(out[s] * m.given[s][c])
		}
		spoken *= float32(costs[c])
		out[numSectors+c] = float32(out[numSectors+c] * spoken)
		sum += out[numSectors+c]
	}
	for c := range numCategories {
		out[numSectors+c] /= sum
	}
	return out
}

func softmax(x []float32) {
	top, sum := slices.Max(x), 0.0
	for i := range x {
		e := math.Exp(float64(x[i] - top))
		x[i] = float32(e)
		sum += e
	}
	for i := range x {
		x[i] = float32(float64(x[i]) / sum)
	}
}
