package store

import (
	"context"
	"strings"
	"unicode/utf8"
)

// selection is the rows that a filter selects.
type selection struct {
	with       string // begins the statement
	from       string
	key        string // the column that orders the pages; unique among the rows
	conditions []string
	args       []any
}

func (s *selection) where(condition string, args ...any) {
	s.conditions = append(s.conditions, condition)
	s.args = append(s.args, args...)
}

// search keeps the rows whose column holds the folded text. What could not be
// part of any name, and PostgreSQL would refuse as a parameter, selects nothing.
func (s *selection) search(column, folded string) {
	switch {
	case folded == "":
	case !utf8.ValidString(folded) || strings.ContainsRune(folded, 0):
		s.where(`1 = 0`)
	default:
		s.where(`@position(`+column+`, ?) > 0`, folded)
	}
}

// page returns the rows after a key, limit at most, and how many there are on all pages.
func page[T any](ctx context.Context, db *session, scan func(row) (T, error), columns string, s selection, after string, limit int) ([]T, int, error) {
	total, err := one(ctx, db, nil, scanValue[int],
		s.with+`SELECT COUNT(*) FROM `+s.from+` WHERE `+strings.Join(s.conditions, ` AND `), s.args...)
	if err != nil {
		return nil, 0, err
	}
	s.where(s.key+` > ?`, after)
	rows, err := list(ctx, db, scan,
		s.with+`SELECT `+columns+` FROM `+s.from+` WHERE `+strings.Join(s.conditions, ` AND `)+` ORDER BY `+s.key+` LIMIT ?`,
		append(s.args, max(limit, 1))...)
	return rows, total, err
}
