package bulk

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// intoSQLite writes rows without a log, and without their secondary indexes, which are made again
// after them. If it fails, the file is good for nothing.
func intoSQLite(ctx context.Context, file string, all []table) error {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	err = fillFile(conn, all)
	if bad := conn.Close(); err == nil {
		err = bad
	}
	return err
}

func fillFile(conn *sqlite.Conn, all []table) error {
	for _, setting := range []string{"journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "foreign_keys = OFF"} {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return err
		}
	}
	if err := insertAll(conn, all); err != nil {
		return err
	}
	for _, setting := range []string{"synchronous = FULL", "journal_mode = WAL"} {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return err
		}
	}
	return nil
}

func insertAll(conn *sqlite.Conn, all []table) (err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, t := range all {
		indexes, err := dropIndexes(conn, t.name)
		if err != nil {
			return err
		}
		if err := insert(conn, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		for _, definition := range indexes {
			if err := sqlitex.ExecuteTransient(conn, definition, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropIndexes drops a table's indexes, but for those of its constraints, and returns what makes them.
func dropIndexes(conn *sqlite.Conn, name string) (definitions []string, err error) {
	var names []string
	err = sqlitex.Execute(conn, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", &sqlitex.ExecOptions{
		Args: []any{name},
		ResultFunc: func(r *sqlite.Stmt) error {
			names, definitions = append(names, r.ColumnText(0)), append(definitions, r.ColumnText(1))
			return nil
		},
	})
	for _, index := range names {
		if err == nil {
			err = sqlitex.ExecuteTransient(conn, "DROP INDEX "+index, nil)
		}
	}
	return definitions, err
}

func insert(conn *sqlite.Conn, t table) error {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")
	statement, err := conn.Prepare("INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (" + marks + ")")
	if err != nil {
		return err
	}
	for i := range t.count {
		for n, value := range t.row(i) {
			bind(statement, n+1, value)
		}
		if _, err := statement.Step(); err != nil {
			return err
		}
		if err := statement.Reset(); err != nil {
			return err
		}
	}
	return nil
}

func bind(statement *sqlite.Stmt, n int, value any) {
	switch v := value.(type) {
	case string:
		statement.BindText(n, v)
	case int64:
		statement.BindInt64(n, v)
	case bool:
		statement.BindBool(n, v)
	default:
		statement.BindNull(n)
	}
}
