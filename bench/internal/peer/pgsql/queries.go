package pgsql

// recursive goes up from the account for a check, and down from the memberships for a list.
func recursive() queries {
	const down = `
WITH RECURSIVE reach (id, name, folded, branch) AS (
	SELECT a.id, a.name, a.folded, m.branch OR a.always_on
	FROM memberships m JOIN accounts a ON a.id = m.account
	WHERE m."user" = $1
	UNION
	SELECT a.id, a.name, a.folded, true FROM reach r JOIN accounts a ON a.parent = r.id WHERE r.branch
)`
	return queries{
		check: `
WITH RECURSIVE up (id, parent, reaches) AS (
	SELECT id, parent, true FROM accounts WHERE id = $2
	UNION ALL
	SELECT a.id, a.parent, a.always_on FROM accounts a JOIN up ON a.id = up.parent
)
SELECT EXISTS (
	SELECT FROM up
	JOIN memberships m ON m.account = up.id AND m."user" = $1
	JOIN permissions p ON p.role = m.role AND p.permission = $3
	WHERE up.reaches OR m.branch)`,
		page: down + `
SELECT id, name, count(*) OVER ()
FROM (SELECT DISTINCT id, name, folded FROM reach) r
ORDER BY folded, id LIMIT $2`,
		search: down + `
SELECT id, name, count(*) OVER ()
FROM (SELECT DISTINCT id, name, folded FROM reach WHERE folded LIKE $3) r
ORDER BY folded, id LIMIT $2`,
		list: down + `
SELECT DISTINCT id FROM reach`,
	}
}

// ltree compares paths: an account is in a branch if the path of the branch's top begins its own.
func ltree() queries {
	const mine = `
WITH mine AS MATERIALIZED (
	SELECT a.id, a.path, m.branch OR a.always_on AS branch
	FROM memberships m JOIN accounts a ON a.id = m.account
	WHERE m."user" = $1
)`
	const reach = `
	SELECT a.id, a.name, a.folded FROM mine JOIN accounts a ON a.path <@ mine.path WHERE mine.branch
	UNION
	SELECT a.id, a.name, a.folded FROM mine JOIN accounts a USING (id)
`
	return queries{
		extra: `
CREATE EXTENSION IF NOT EXISTS ltree;
ALTER TABLE accounts ADD COLUMN path ltree;
WITH RECURSIVE down (id, path) AS (
	SELECT id, id::text::ltree FROM accounts WHERE parent IS NULL
	UNION ALL
	SELECT a.id, d.path || a.id::text FROM accounts a JOIN down d ON a.parent = d.id
)
UPDATE accounts a SET path = d.path FROM down d WHERE d.id = a.id;
ALTER TABLE accounts ALTER COLUMN path SET NOT NULL;
CREATE INDEX ON accounts USING gist (path);`,
		check: `
SELECT EXISTS (
	SELECT FROM accounts a
	JOIN memberships m ON m."user" = $1
	JOIN accounts top ON top.id = m.account
	JOIN permissions p ON p.role = m.role AND p.permission = $3
	WHERE a.id = $2 AND (top.id = a.id OR (m.branch OR top.always_on) AND top.path @> a.path))`,
		page: mine + `
SELECT id, name, count(*) OVER () FROM (` + reach + `) reach
ORDER BY folded, id LIMIT $2`,
		search: mine + `
SELECT id, name, count(*) OVER () FROM (` + reach + `) reach
WHERE folded LIKE $3
ORDER BY folded, id LIMIT $2`,
		list: mine + `
SELECT a.id FROM mine JOIN accounts a ON a.path <@ mine.path WHERE mine.branch
UNION
SELECT id FROM mine`,
	}
}
