package assignment

import (
	"context"
	"fmt"
	"log/slog"

	"quietline/services/assignment/store"
)

// A model builds on the scores of the lexicon that it was trained on, so beside another lexicon it is not used: the lexicon
// answers alone until a model is trained on it, and no roll-back puts a model of another lexicon back.

// forced is a model that was put in force, and the lexicon that it was trained on.
type forced struct {
	id      int64
	lexicon string
}

// forceStack is what is in force over what, the current one last.
type forceStack []forced

// top is the last that was put in force; nothing: the lexicon alone.
func (f forceStack) top() forced {
	if len(f) == 0 {
		return forced{}
	}
	return f[len(f)-1]
}

// inUse is the model that answers beside a lexicon; 0: the lexicon alone.
func (f forceStack) inUse(lexicon string) int64 {
	if t := f.top(); t.lexicon == lexicon {
		return t.id
	}
	return 0
}

// before is the newest model under the current one that answers beside a lexicon; 0: the lexicon alone.
func (f forceStack) before(lexicon string) int64 {
	for i := len(f) - 2; i >= 0; i-- {
		if f[i].lexicon == lexicon && f[i].id != f.top().id {
			return f[i].id
		}
	}
	return 0
}

// back is the stack after the current model went and with it all that was skipped over another that was put back; false
// where that one was never under it.
func (f forceStack) back(to int64) (forceStack, bool) {
	for len(f) > 0 {
		f = f[:len(f)-1]
		if len(f) > 0 && f.top().id == to {
			return f, true
		}
	}
	return f, to == 0
}

// lockActs is what is in force over what, for one person at a time.
func lockActs(ctx context.Context, q *store.Queries) (forceStack, error) {
	if err := q.LockModelActs(ctx); err != nil {
		return nil, fmt.Errorf("lock models: %w", err)
	}
	return acts(ctx, q)
}

func acts(ctx context.Context, q *store.Queries) (forceStack, error) {
	rows, err := q.ModelActs(ctx)
	if err != nil {
		return nil, fmt.Errorf("models in force: %w", err)
	}
	var stack forceStack
	for _, r := range rows {
		id := int64(0)
		if r.ModelID != nil {
			id = *r.ModelID
		}
		if r.Act == "promoted" {
			stack = append(stack, forced{id, r.LexiconVersion})
			continue
		}
		stack, _ = stack.back(id)
	}
	return stack, nil
}

// unused is the lexicon alone in place of a model of another one, and tells so once.
func (s *Server) unused(ctx context.Context, m forced) *inForce {
	f := &inForce{unused: m.id}
	if last := s.learned.Swap(f); last == nil || last.unused != m.id {
		slog.WarnContext(ctx, "the model in force was trained on another lexicon and is not used: the lexicon decides alone until one is trained on it",
			slog.String("model", versionOf(m.id)), slog.String("model_lexicon", m.lexicon), slog.String("lexicon", s.words.version))
	}
	return f
}
