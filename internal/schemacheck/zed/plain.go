package zed

import (
	"regexp"
	"strings"
)

// tokens are the words for what the parser calls by names of its own.
var tokens = map[string]string{
	"Error": "something that is no part of the language", "EOF": "the end of the schema", "SyntheticSemicolon": "the end of the line",
	"Keyword": "a word of the language", "Identifier": "a name", "Number": "a number", "String": "a text in quotes",
	"LeftBrace": "`{`", "RightBrace": "`}`", "LeftParen": "`(`", "RightParen": "`)`", "Pipe": "`|`", "Plus": "`+`", "Minus": "`-`",
	"And": "`&`", "Div": "`/`", "Equals": "`=`", "Colon": "`:`", "Semicolon": "`;`", "RightArrow": "`->`", "Hash": "`#`",
	"Ellipsis": "`...`", "Star": "`*`", "QuestionMark": "`?`", "ConditionalOr": "`||`", "ConditionalAnd": "`&&`",
	"ExclamationPoint": "`!`", "LeftBracket": "`[`", "RightBracket": "`]`", "Period": "`.`", "Comma": "`,`", "Percent": "`%`",
	"LessThan": "`<`", "GreaterThan": "`>`", "LessThanOrEqual": "`<=`", "GreaterThanOrEqual": "`>=`", "EqualEqual": "`==`",
	"NotEqual": "`!=`", "Whitespace": "a space", "Newline": "the end of the line",
	"SinglelineComment": "a comment", "MultilineComment": "a comment",
}

var (
	tokenName = regexp.MustCompile(`TokenType([A-Za-z]+)`)
	oneOf     = regexp.MustCompile(`^Expected one of: \[(.*)\], found: (.*)$`)
	found     = regexp.MustCompile(`^Expected (.+?),? found:? (?:token )?(.*)$`)
	badName   = regexp.MustCompile("(?s)^error in (?:object definition|relation|permission) (.+?): validation error: *(?:- )?name: does not match regex.*$")
	inCEL     = regexp.MustCompile(`ERROR: [^ ]+:\d+:\d+: | \(in container ''\)|(?s)\n \|.*$`)
	atRoot    = regexp.MustCompile(`^Unexpected token at root level: (.*)$`)
)

// Plain turns a message of SpiceDB's parser into words that need no knowledge of its inside.
func Plain(message string) string {
	const hint = "; at the top of a schema are `use`, `import`, `definition`, `caveat` and `partial`"
	word := func(s string) string {
		return tokenName.ReplaceAllStringFunc(s, func(name string) string {
			if w, ok := tokens[strings.TrimPrefix(name, "TokenType")]; ok {
				return w
			}
			return name
		})
	}
	if m := badName.FindStringSubmatch(message); m != nil {
		return "`" + m[1] + "` cannot be a name: names have 3 to 64 small letters, digits and `_`, begin with a letter and do not end with `_`"
	}
	if m := atRoot.FindStringSubmatch(message); m != nil {
		return word(m[1]) + " is not expected here" + hint
	}
	if m := oneOf.FindStringSubmatch(message); m != nil {
		names := strings.Fields(m[1])
		for i, n := range names {
			names[i] = word(n)
		}
		return "expected " + strings.Join(names, " or ") + ", found " + word(m[2])
	}
	if m := found.FindStringSubmatch(message); m != nil {
		return "expected " + plainWord(word(m[1])) + ", found " + word(m[2])
	}
	return inCEL.ReplaceAllString(word(message), "")
}

func plainWord(s string) string {
	switch {
	case s == "identifier":
		return "a name"
	case strings.HasPrefix(s, "keyword "):
		return "`" + strings.TrimPrefix(s, "keyword ") + "`"
	case s == "keyword":
		return "`relation`, `permission` or `}`"
	case s == "right hand expression":
		return "a relation, a permission or `(` after the operator"
	case s == "end of statement or definition":
		return "the end of the line or `}`"
	case s == "quote-delimited string":
		return "a text in quotes"
	default:
		return s
	}
}
