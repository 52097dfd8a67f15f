package assignment

// trie finds words in a text. A step is one look-up, and most positions of a text end after the first one, so a report's
// text takes a few microseconds. It is read-only after the last add.
type trie struct {
	first map[rune]int32 // from the root
	next  map[step]int32 // from any other node
	word  []int32        // by node: number of the word that ends there, plus 1; node 0 is the root
}

type step struct {
	node int32
	r    rune
}

func (t *trie) add(word []rune, number int32) {
	if t.next == nil {
		t.first, t.next, t.word = map[rune]int32{}, map[step]int32{}, []int32{0}
	}
	node := int32(0)
	for _, r := range word {
		to, ok := t.step(node, r)
		if !ok {
			to = int32(len(t.word))
			t.word = append(t.word, 0)
			if node == 0 {
				t.first[r] = to
			} else {
				t.next[step{node, r}] = to
			}
		}
		node = to
	}
	t.word[node] = number + 1
}

func (t *trie) step(node int32, r rune) (int32, bool) {
	if node == 0 {
		to, ok := t.first[r]
		return to, ok
	}
	to, ok := t.next[step{node, r}]
	return to, ok
}

// find calls found with the number of every word at every place where it stands.
func (t *trie) find(text []rune, found func(number int32)) {
	if t.next == nil {
		return
	}
	for i := range text {
		node := int32(0)
		for _, r := range text[i:] {
			to, ok := t.step(node, r)
			if !ok {
				break
			}
			node = to
			if w := t.word[node]; w > 0 {
				found(w - 1)
			}
		}
	}
}
