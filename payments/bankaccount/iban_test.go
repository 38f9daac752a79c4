package bankaccount

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The examples of the SWIFT IBAN registry.
var registered = []string{
	"AD1200012030200359100100", "AE070331234567890123456", "AT611904300234573201", "BE68539007547034", "BG80BNBG96611020345678",
	"CH9300762011623852957", "CY17002001280000001200527600", "CZ6508000000192000145399", "DE89370400440532013000", "DK5000400440116243",
	"EE382200221020145685", "ES9121000418450200051332", "FI2112345600000785", "FR1420041010050500013M02606", "GB29NWBK60161331926819",
	"GI75NWBK000000007099453", "GR1601101250000000012300695", "HR1210010051863000160", "HU42117730161111101800000000", "IE29AIBK93115212345678",
	"IL620108000000099999999", "IS140159260076545510730339", "IT60X0542811101000000123456", "LI21088100002324013AA", "LT121000011101001000",
	"LU280019400644750000", "LV80BANK0000435195001", "MC5811222000010123456789030", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300",
	"NO9386011117947", "PL61109010140000071219812874", "PT50000201231234567890154", "RO49AAAA1B31007593840000", "SA0380000000608010167519",
	"SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541", "SM86U0322509800000000270100", "TR330006100519786457841326",
}

func TestRegisteredIBANs(t *testing.T) {
	t.Parallel()
	for _, iban := range registered {
		require.NoError(t, CheckIBAN(iban), iban)
	}
}

// MOD 97-10 catches every single wrong digit and every two neighbours swapped.
func TestWrongIBANs(t *testing.T) {
	t.Parallel()
	for _, iban := range registered {
		for i := 2; i < len(iban); i++ {
			if digit(iban[i]) {
				wrong := iban[:i] + string('0'+(iban[i]-'0'+1)%10) + iban[i+1:]
				require.Error(t, CheckIBAN(wrong), wrong)
			}
			if i > 4 && iban[i] != iban[i-1] && digit(iban[i]) == digit(iban[i-1]) {
				wrong := iban[:i-1] + string(iban[i]) + string(iban[i-1]) + iban[i+1:]
				require.Error(t, CheckIBAN(wrong), wrong)
			}
		}
		require.Error(t, CheckIBAN(iban[:len(iban)-1]), iban)
		require.Error(t, CheckIBAN(iban+"0"), iban)
		require.Error(t, CheckIBAN(strings.ToLower(iban)), iban)
	}
	for _, iban := range []string{"", "DE", "ZZ89370400440532013000", "DE8937040044053201300O0", "DE89 370400440532013000"} {
		require.Error(t, CheckIBAN(iban), iban)
	}
}

// Check digits outside 02 to 98 can satisfy the arithmetic and are none.
func TestCheckDigitsOutOfRange(t *testing.T) {
	t.Parallel()
	found := 0
	for n := range 2_000 {
		account := "NO00" + strings.Repeat("0", 7) + string([]byte{'0' + byte(n/1000), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})
		for _, check := range []string{"00", "01", "99"} {
			iban := "NO" + check + account[4:]
			found++
			require.Error(t, CheckIBAN(iban), iban)
		}
	}
	require.Equal(t, 6_000, found)
}

func FuzzIBAN(f *testing.F) {
	for _, iban := range registered {
		f.Add(iban)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckIBAN(text) == nil {
			require.Len(t, text, ibanLengths[text[:2]])
		}
	})
}

func TestCountriesWithIBANs(t *testing.T) {
	t.Parallel()
	for _, iban := range registered {
		require.True(t, HasIBANs(iban[:2]))
	}
	for _, country := range []string{"US", "IN", "JP", "AU", "ID", ""} {
		require.False(t, HasIBANs(country), country)
	}
}
