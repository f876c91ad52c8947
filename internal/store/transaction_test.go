package store

import (
	"errors"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/testpg"
)

// loseRace makes PostgreSQL roll the transaction back as it does to resolve a conflict.
const loseRace = `DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`

func TestWriteThatLosesARaceRunsAgain(t *testing.T) {
	db := opened(t, testpg.Database(t))
	lose := func(times int, swallow bool) (calls int, err error) {
		err = db.write(t.Context(), db.writer, func(s *session) error {
			calls++
			if calls > times {
				return nil
			}
			if _, err := s.exec(t.Context(), loseRace); !swallow {
				return err
			}
			return nil
		})
		return calls, err
	}
	for _, swallow := range []bool{false, true} {
		if calls, err := lose(2, swallow); calls != 3 || err != nil {
			t.Errorf("lost twice (error swallowed: %t): %d calls, %v", swallow, calls, err)
		}
	}
	calls, err := lose(1000, false)
	if calls != attempts || !errors.Is(err, fault.Unavailable) {
		t.Errorf("lost always: %d calls, %v", calls, err)
	}
	calls, err = lose(1000, true)
	if calls != attempts || err == nil {
		t.Errorf("lost always, error swallowed: %d calls, %v", calls, err)
	}
}

func TestDialectNumbersParameters(t *testing.T) {
	statement := `SELECT ? FROM @rows(?) AS a, @texts(?) AS b WHERE @position(c, ?) > 0`
	for _, tt := range []struct {
		dialect *dialect
		want    string
	}{
		{sqliteDialect(), `SELECT ? FROM json_each(?) AS a, json_each(?) AS b WHERE instr(c, ?) > 0`},
		{postgresDialect(), `SELECT $1 FROM json_array_elements(CAST($2 AS JSON)) AS a, json_array_elements_text(CAST($3 AS JSON)) AS b WHERE strpos(c, $4) > 0`},
	} {
		if got := tt.dialect.sql(statement); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}
