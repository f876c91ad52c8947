package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

func codeOf(err error) string {
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil {
		return ""
	}
	return f.Code
}

// TestC1_IssuersAreNamedInOneWay: what is compared byte by byte with a token's iss has no second spelling.
func TestC1_IssuersAreNamedInOneWay(t *testing.T) {
	for _, good := range []string{
		"https://login.example", "https://login.example/", "https://login.example:8443/realms/shop", "https://login.example/a%20b",
		"http://127.0.0.1:9000", "http://localhost:3000/oidc", "http://[::1]:9000", "https://[2001:db8::1]/x",
	} {
		if err := account.CheckIssuerURL("url", good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "login.example", "//login.example", "https:", "https://", "https:login.example", "ftp://login.example", "javascript:alert(1)",
		"http://login.example", "http://10.0.0.1", "http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://[fe80::1%25lo]:1", "http://0.0.0.0",
		"https://login.example?x=1", "https://login.example?", "https://login.example#", "https://login.example/#x",
		"https://ada@login.example", "https://ada:secret@login.example", "https://@login.example",
		"HTTPS://login.example", "https://Login.example", "https://login.example:", "https://login.example:0", "https://login.example:70000", "https://login.example:0443",
		"https://login.example/../x", "https://login.example/./x", "https://login.example/x/..",
		" https://login.example", "https://login.example ", "https://login.example\n", "https://login.example\x00", "https://login.example/\tx",
		"https://login.examplé", "https://login.example\\@evil.example", "https://login.example/" + strings.Repeat("x", 500), "https://login.example/%zz",
	} {
		if code := codeOf(account.CheckIssuerURL("url", bad)); code != "invalid_issuer" {
			t.Errorf("%q: %q", bad, code)
		}
	}
}

// TestC1_IssuersAreBounded also in what they list.
func TestC1_IssuersAreBounded(t *testing.T) {
	many := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, strings.Repeat("x", i+1))
		}
		return out
	}
	for _, c := range []struct {
		name   string
		change func(*account.Issuer)
		code   string
	}{
		{"as it is", func(*account.Issuer) {}, ""},
		{"no name", func(i *account.Issuer) { i.Name = " " }, "missing_name"},
		{"no address", func(i *account.Issuer) { i.URL = "" }, "invalid_issuer"},
		{"no purpose", func(i *account.Issuer) { i.Purpose = "" }, "invalid_purpose"},
		{"another purpose", func(i *account.Issuer) { i.Purpose = "Users" }, "invalid_purpose"},
		{"no audience", func(i *account.Issuer) { i.Audiences = nil }, "missing_audience"},
		{"an empty audience", func(i *account.Issuer) { i.Audiences = []string{"shop", ""} }, "invalid_audience"},
		{"a long audience", func(i *account.Issuer) { i.Audiences = []string{strings.Repeat("x", 201)} }, "invalid_audience"},
		{"an audience of two lines", func(i *account.Issuer) { i.Audiences = []string{"a\nb"} }, "invalid_audience"},
		{"an audience that is no text", func(i *account.Issuer) { i.Audiences = []string{"\xff"} }, "invalid_audience"},
		{"10 audiences", func(i *account.Issuer) { i.Audiences = many(10) }, ""},
		{"11 audiences", func(i *account.Issuer) { i.Audiences = many(11) }, "too_many_audiences"},
		{"an address", func(i *account.Issuer) { i.EmailDomains = []string{"Ada@Globex.example"} }, ""},
		{"50 domains", func(i *account.Issuer) { i.EmailDomains = many(50) }, ""},
		{"51 domains", func(i *account.Issuer) { i.EmailDomains = many(51) }, "too_many_email_domains"},
		{"no domain", func(i *account.Issuer) { i.EmailDomains = []string{""} }, "invalid_email_domain"},
		{"a domain with a space", func(i *account.Issuer) { i.EmailDomains = []string{"globex example"} }, "invalid_email_domain"},
		{"two at signs", func(i *account.Issuer) { i.EmailDomains = []string{"a@b@globex.example"} }, "invalid_email_domain"},
		{"a domain that looks like another", func(i *account.Issuer) { i.EmailDomains = []string{"\u212Alex.example"} }, "invalid_email_domain"},
		{"operators without domains", func(i *account.Issuer) { i.Purpose, i.EmailDomains = account.ForOperators, nil }, "missing_email_domain"},
		{"operators who are linked by hand", func(i *account.Issuer) {
			i.Purpose, i.EmailDomains, i.LinkByEmail = account.ForOperators, nil, false
		}, ""},
	} {
		i := account.Issuer{Name: "Login", URL: "https://login.example", Audiences: []string{"shop"}, Purpose: account.ForUsers, LinkByEmail: true, EmailDomains: []string{"globex.example"}}
		c.change(&i)
		if _, err := i.Clean(); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
	i, err := account.Issuer{
		Name: " Login ", URL: "https://login.example", Purpose: account.ForUsers, Audiences: []string{"b", "a", "b"}, EmailDomains: []string{"Globex.Example", "a.example", "globex.example"},
	}.Clean()
	if err != nil || i.Name != "Login" || !slices.Equal(i.Audiences, []string{"a", "b"}) || !slices.Equal(i.EmailDomains, []string{"a.example", "globex.example"}) {
		t.Errorf("cleaned: %+v, %v", i, err)
	}
}

// TestC1_AddressesThatLookAlikeAreNot the same: only the case of ASCII letters does not matter.
func TestC1_AddressesThatLookAlikeAreNot(t *testing.T) {
	i := account.Issuer{LinkByEmail: true, EmailDomains: []string{"globex.example", "bob@initech.example"}}
	for _, c := range []struct {
		email, want string
		ok          bool
	}{
		{"kim@globex.example", "kim@globex.example", true},
		{"KIM@Globex.EXAMPLE", "kim@globex.example", true},
		{"Bob@initech.example", "bob@initech.example", true},
		{"ada@initech.example", "", false},
		{"kim@sub.globex.example", "", false},
		{"kim@globex.example.evil.example", "", false},
		{"kim@evilglobex.example", "", false},
		{"\u212Aim@globex.example", "", false},       // the Kelvin sign, whose lower case is k
		{"k\u0130m@globex.example", "", false},       // a capital I with a dot, whose lower case is i
		{"kim@globex\uFF0Eexample", "", false},       // a full stop of full width
		{"k\u0456m@initech.example", "", false},      // a Cyrillic i
		{" kim@globex.example", "", false},           // not as a provider writes it
		{"kim@globex.example\n", "", false},          //
		{"Kim <kim@globex.example>", "", false},      // no address alone
		{"\"kim@globex.example\"", "", false},        //
		{"kim@globex.example,bob@x.ex", "", false},   // two
		{"bob@initech.example@evil.ex", "", false},   //
		{"kim\xff@globex.example", "", false},        // no text
		{"\"a@initech.example\"@evil.ex", "", false}, // the domain is what stands last
		{"", "", false},
	} {
		got, ok := i.VouchesFor(c.email)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %q %t", c.email, got, ok)
		}
	}
	i.LinkByEmail = false
	if _, ok := i.VouchesFor("kim@globex.example"); ok {
		t.Error("an issuer that does not link by address does")
	}
	if got, ok := (account.Issuer{LinkByEmail: true}).VouchesFor("K\u00e9@anywhere.example"); !ok || got != "k\u00e9@anywhere.example" {
		t.Errorf("letters that have one case: %q %t", got, ok)
	}
}

func TestC1_Subjects(t *testing.T) {
	for _, good := range []string{"1", "auth0|abc", "a b", " ", "ä", strings.Repeat("x", 255)} {
		if err := account.CheckSubject("subject", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a\x00", "a\n", "\xff", "\u0085", strings.Repeat("x", 256)} {
		if codeOf(account.CheckSubject("subject", bad)) != "invalid_subject" {
			t.Errorf("%q is taken", bad)
		}
	}
}
