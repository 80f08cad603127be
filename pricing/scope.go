package pricing

import "slices"

// covers says whether the line is in scope. A nil scope covers every line.
func (s *Scope) covers(l *Line) bool {
	if s == nil {
		return true
	}
	in := s.everywhere() || slices.Contains(s.Skus, l.Sku) || shareOne(s.Categories, l.Categories)
	return in && !slices.Contains(s.ExcludeSkus, l.Sku) && !shareOne(s.ExcludeCategories, l.Categories)
}

// everywhere says whether the scope is all lines but the excluded ones.
func (s *Scope) everywhere() bool {
	return s == nil || len(s.Skus) == 0 && len(s.Categories) == 0
}

func shareOne(a, b []string) bool {
	for _, s := range b {
		if slices.Contains(a, s) {
			return true
		}
	}
	return false
}
