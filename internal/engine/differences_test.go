package engine

import "testing"

func TestDifferencesAreThoseOfTheDefinitionsNamed(t *testing.T) {
	about := []string{"account", "user"}
	for difference, want := range map[string]bool{
		"adds definition account":                                       true,
		"removes definition user":                                       true,
		"adds definition accounting":                                    false,
		"adds relation account#owner":                                   true,
		"adds relation accounts#owner":                                  false,
		"removes relation document#account":                             false,
		"changes permission account#access":                             true,
		"changes permission document#access":                            false,
		"adds a type of subject to relation account#member: team":       true,
		"adds a type of subject to relation document#viewer: account":   false,
		"adds a type of subject to relation document#viewer: account#x": false,
		"adds caveat account":                                           false,
		"changes something that this version of Tenantry cannot name":   true,
	} {
		if got := isAbout(difference, about); got != want {
			t.Errorf("%q is about %v: %t; want %t", difference, about, got, want)
		}
	}
}
