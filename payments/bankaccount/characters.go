package bankaccount

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Characters are all that a file for a bank may hold: the Latin set of the SEPA schemes, which
// is also what banks outside them pass on unharmed.
const Characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "

// replacements holds what stands for a character outside the set. Letters with marks
// that are not named lose their marks (ä becomes a), as the conversion table of the
// European Payments Council (EPC217-08) has it; Greek and Bulgarian are written letter by
// letter. A character without a replacement is refused and not replaced by a full stop:
// banks compare the name with that of the account.
var replacements = map[rune]string{
	'ß': "ss", 'ẞ': "SS", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ø': "o", 'Ø': "O", 'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D",
	'þ': "th", 'Þ': "TH", 'ł': "l", 'Ł': "L", 'ħ': "h", 'Ħ': "H", 'ı': "i", 'ŀ': "l", 'Ŀ': "L", 'ŋ': "n", 'Ŋ': "N", 'ŧ': "t", 'Ŧ': "T", 'ĸ': "k",
	'ĳ': "ij", 'Ĳ': "IJ", 'ŉ': "n", 'ſ': "s",
	'‘': "'", '’': "'", 'ʼ': "'", '`': "'", '´': "'", '“': "'", '”': "'", '"': "'",
	'‐': "-", '‑': "-", '–': "-", '—': "-", '_': "-", '&': "+", ';': ",",

	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m",
	'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",

	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y", 'к': "k", 'л': "l",
	'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "h", 'ц': "ts", 'ч': "ch",
	'ш': "sh", 'щ': "sht", 'ъ': "a", 'ь': "y", 'ю': "yu", 'я': "ya",
}

// Transliterate writes a text in the characters of a file, with single spaces. Where it
// cannot, it returns the first character that has no replacement.
func Transliterate(text string) (written string, refused rune, ok bool) {
	var b strings.Builder
	for _, r := range norm.NFC.String(strings.Join(strings.Fields(text), " ")) {
		replacement, known := replace(r)
		if !known {
			return "", r, false
		}
		b.WriteString(replacement)
	}
	return b.String(), 0, true
}

func replace(r rune) (string, bool) {
	if strings.ContainsRune(Characters, r) {
		return string(r), true
	}
	if replacement, known := replacements[r]; known {
		return replacement, true
	}
	if lower := unicode.ToLower(r); lower != r {
		if replacement, known := replacements[lower]; known {
			return strings.ToUpper(replacement[:1]) + replacement[1:], true
		}
	}
	if base, marks := letterWithMarks(r); marks {
		return replace(base)
	}
	return "", false
}

// letterWithMarks takes the marks off a letter.
func letterWithMarks(r rune) (base rune, marked bool) {
	for i, part := range []rune(norm.NFD.String(string(r))) {
		switch {
		case i == 0 && part == r, i > 0 && !unicode.Is(unicode.Mn, part):
			return 0, false
		case i == 0:
			base = part
		}
	}
	return base, true
}
