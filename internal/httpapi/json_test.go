package httpapi

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
)

// TestJSONBounds: depth, number of values and size of numbers are bounded, whatever the size of the body.
func TestJSONBounds(t *testing.T) {
	list := func(value string, n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
	}
	for name, text := range map[string]string{
		"deep arrays":         strings.Repeat("[", 500_000),
		"deep objects":        strings.Repeat(`{"a":`, 200_000),
		"one level too deep":  strings.Repeat("[", maxNesting+1) + strings.Repeat("]", maxNesting+1),
		"many values":         list("1", maxValues),
		"many objects":        list("{}", maxValues),
		"many fields":         `{"a0":` + list(`{"a":1}`, maxValues/2) + `}`,
		"a huge number":       `1e999`,
		"a huge negative one": `{"a":-1e400}`,
		"a lone surrogate":    "\"\xed\xa0\x80\"",
		"NaN":                 `NaN`,
		"a leading zero":      `01`,
	} {
		if _, err := parseJSON([]byte(text)); !fault.HasCode(err, "invalid_json") || len(err.Error()) > 300 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"as deep as may be":       strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting),
		"as many as may be":       list("1", maxValues-1),
		"a number of many digits": strings.Repeat("9", 300),
		"a small number":          "1e-999",
	} {
		if _, err := parseJSON([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseJSON([]byte("1e999")); !strings.Contains(err.Error(), "number") {
		t.Errorf("the text does not say what is wrong: %v", err)
	}
}
