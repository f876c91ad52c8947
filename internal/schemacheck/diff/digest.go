package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Digest returns a short name for what a schema says: sha256: and a number in
// hexadecimal. Comments and the order of definitions, relations and types make no difference.
func Digest(s *zed.Schema) string {
	lines := make([]string, 0, len(s.Definitions)+len(s.Caveats))
	for _, c := range s.Caveats {
		line := "caveat " + signature(c)
		if c.Expression == "" {
			line += fmt.Sprintf(" %x", serialised(s, c.Name))
		}
		lines = append(lines, line)
	}
	for _, d := range s.Definitions {
		lines = append(lines, "definition "+d.Name)
		for _, r := range d.Relations {
			text := written(r)
			if !r.IsPermission() {
				types := strings.Split(text, " | ")
				slices.Sort(types)
				text = strings.Join(types, " | ")
			}
			lines = append(lines, r.Kind()+" "+r.String()+" "+text)
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}
