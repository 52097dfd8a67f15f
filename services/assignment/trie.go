package assignment

// trie finds words in a text. A step is one map look-up, and most positions of a text end after the first one, so a
// report's text takes a few microseconds. It is read-only after the last add.
type trie struct {
	next map[step]int32 // from node 0, the root
	word []int32        // by node: number of the word that ends there, plus 1
}

type step struct {
	node int32
	r    rune
}

func (t *trie) add(word []rune, number int32) {
	if t.next == nil {
		t.next, t.word = map[step]int32{}, []int32{0}
	}
	node := int32(0)
	for _, r := range word {
		to, ok := t.next[step{node, r}]
		if !ok {
			to = int32(len(t.word))
			t.next[step{node, r}] = to
			t.word = append(t.word, 0)
		}
		node = to
	}
	t.word[node] = number + 1
}

// find calls found with the number of every word at every place where it stands.
func (t *trie) find(text []rune, found func(number int32)) {
	for i := range text {
		node := int32(0)
		for _, r := range text[i:] {
			to, ok := t.next[step{node, r}]
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
