package disclosure

import "math/big"

// system is what an attacker knows of figures that are not told: they are not negative, and sums of some of them are known.
type system struct {
	names map[string]int
	rows  []equation
}

type equation struct {
	of  map[int]int64 // coefficients
	sum int64
}

func (s *system) variable(name string) int {
	if s.names == nil {
		s.names = map[string]int{}
	}
	if _, ok := s.names[name]; !ok {
		s.names[name] = len(s.names)
	}
	return s.names[name]
}

// known adds the sum of some figures.
func (s *system) known(sum int64, names ...string) {
	e := equation{of: map[int]int64{}, sum: sum}
	for _, n := range names {
		e.of[s.variable(n)]++
	}
	s.rows = append(s.rows, e)
}

// atMost adds an upper bound of a figure.
func (s *system) atMost(most int64, name string) { s.known(most, name, name+" slack") }

// bounds are the least and the greatest that a figure can be, exactly; ok is false when nothing at all fits.
func (s *system) bounds(name string) (least, most *big.Rat, open, ok bool) {
	rows, vars, target := s.component(s.variable(name))
	t := newTableau(rows, vars)
	if !t.feasible() {
		return nil, nil, false, false
	}
	column := 0
	for i, v := range vars {
		if v == target {
			column = i
		}
	}
	low, _ := t.minimise(column, 1)
	high, bounded := t.minimise(column, -1)
	if !bounded {
		return low, nil, true, true
	}
	return low, high.Neg(high), false, true
}

// component are the equations that a variable hangs together with, and their variables.
func (s *system) component(v int) ([]equation, []int, int) {
	in, used := map[int]bool{v: true}, make([]bool, len(s.rows))
	for grown := true; grown; {
		grown = false
		for i, e := range s.rows {
			if used[i] {
				continue
			}
			for x := range e.of {
				if in[x] {
					used[i], grown = true, true
				}
			}
			if used[i] {
				for x := range e.of {
					in[x] = true
				}
			}
		}
	}
	var rows []equation
	for i, e := range s.rows {
		if used[i] {
			rows = append(rows, e)
		}
	}
	var vars []int
	for x := range len(s.names) {
		if in[x] {
			vars = append(vars, x)
		}
	}
	return rows, vars, v
}

// tableau is the simplex method with exact rationals and Bland's rule, which ends.
type tableau struct {
	a     [][]*big.Rat // with the right hand side last
	basis []int
	vars  int // real ones; artificial ones come behind
}

func newTableau(rows []equation, vars []int) *tableau {
	t := &tableau{vars: len(vars)}
	at := map[int]int{}
	for i, v := range vars {
		at[v] = i
	}
	for i, e := range rows {
		row := make([]*big.Rat, len(vars)+len(rows)+1)
		for j := range row {
			row[j] = new(big.Rat)
		}
		for v, c := range e.of {
			row[at[v]].SetInt64(c)
		}
		row[len(vars)+i].SetInt64(1)
		row[len(row)-1].SetInt64(e.sum)
		t.a, t.basis = append(t.a, row), append(t.basis, len(vars)+i)
	}
	return t
}

// feasible finds a solution, with no artificial variable left in it.
func (t *tableau) feasible() bool {
	cost := make([]*big.Rat, len(t.a[0])-1)
	for j := range cost {
		cost[j] = new(big.Rat)
		if j >= t.vars {
			cost[j].SetInt64(1)
		}
	}
	sum, _ := t.run(cost, len(cost))
	if sum.Sign() != 0 {
		return false
	}
	for i := 0; i < len(t.a); i++ { // what is left of artificial ones at zero is turned out, or its row says nothing
		if t.basis[i] < t.vars {
			continue
		}
		j := 0
		for j < t.vars && t.a[i][j].Sign() == 0 {
			j++
		}
		if j < t.vars {
			t.pivot(i, j)
			continue
		}
		t.a, t.basis = append(t.a[:i], t.a[i+1:]...), append(t.basis[:i], t.basis[i+1:]...)
		i--
	}
	return true
}

// minimise finds the least value of a column's variable times sign.
func (t *tableau) minimise(column int, sign int64) (*big.Rat, bool) {
	cost := make([]*big.Rat, len(t.a[0])-1)
	for j := range cost {
		cost[j] = new(big.Rat)
	}
	cost[column].SetInt64(sign)
	return t.run(cost, t.vars)
}

func (t *tableau) run(cost []*big.Rat, columns int) (*big.Rat, bool) {
	for {
		enter := -1
		for j := range columns {
			if t.reduced(cost, j).Sign() < 0 {
				enter = j
				break
			}
		}
		if enter < 0 {
			sum := new(big.Rat)
			for i, b := range t.basis {
				sum.Add(sum, new(big.Rat).Mul(cost[b], t.a[i][len(t.a[i])-1]))
			}
			return sum, true
		}
		leave := -1
		var ratio *big.Rat
		for i, row := range t.a {
			if row[enter].Sign() <= 0 {
				continue
			}
			q := new(big.Rat).Quo(row[len(row)-1], row[enter])
			if leave < 0 || q.Cmp(ratio) < 0 || q.Cmp(ratio) == 0 && t.basis[i] < t.basis[leave] {
				leave, ratio = i, q
			}
		}
		if leave < 0 {
			return nil, false
		}
		t.pivot(leave, enter)
	}
}

func (t *tableau) reduced(cost []*big.Rat, j int) *big.Rat {
	r := new(big.Rat).Set(cost[j])
	for i, b := range t.basis {
		if cost[b].Sign() != 0 && t.a[i][j].Sign() != 0 {
			r.Sub(r, new(big.Rat).Mul(cost[b], t.a[i][j]))
		}
	}
	return r
}

func (t *tableau) pivot(i, j int) {
	p := new(big.Rat).Inv(t.a[i][j])
	for k := range t.a[i] {
		t.a[i][k].Mul(t.a[i][k], p)
	}
	for r := range t.a {
		if r == i || t.a[r][j].Sign() == 0 {
			continue
		}
		f := new(big.Rat).Set(t.a[r][j])
		for k := range t.a[r] {
			if t.a[i][k].Sign() != 0 {
				t.a[r][k].Sub(t.a[r][k], new(big.Rat).Mul(f, t.a[i][k]))
			}
		}
	}
	t.basis[i] = j
}
