package bankaccount

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBICs(t *testing.T) {
	t.Parallel()
	for _, bic := range []string{"COBADEFF", "DEUTDEFF500", "BNPAFRPPXXX", "CHASUS33", "HSBCHKHHHKH"} {
		require.NoError(t, CheckBIC(bic), bic)
	}
	for _, bic := range []string{"", "COBADEF", "COBADEFF5", "COBADEFF50", "cobadeff", "C0BADEFF", "COBA1EFF", "COBADE1F", "COBADEFO", "COBADEFF500\n", "COBADEFF5000"} {
		require.Error(t, CheckBIC(bic), "%q", bic)
	}
}

func TestIFSCs(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"HDFC0000001", "SBIN0001234", "UTIB0SGMS01"} {
		require.NoError(t, CheckIFSC(code), code)
	}
	for _, code := range []string{"", "HDFC1000001", "HDF00000001", "HDFC000001", "HDFC00000012", "hdfc0000001", "HDFC000000\u0967", "HDFC0000001\n"} {
		require.Error(t, CheckIFSC(code), "%q", code)
	}
}

func TestClearingCodes(t *testing.T) {
	t.Parallel()
	for code, member := range map[string]string{
		"USABA021000021": "021000021", "USABA011401533": "011401533", "GBDSC601613": "601613", "INFSCHDFC0000001": "HDFC0000001",
		"AUBSB062000": "062000", "CACPA000300002": "000300002", "JPZGN0001001": "0001001", "ZANCC051001": "051001", "NZNCC010001": "010001", "CNAPS102100099996": "102100099996",
	} {
		system, got, err := SplitClearingCode(code)
		require.NoError(t, err, code)
		require.Equal(t, member, got)
		require.Equal(t, code[:5], system)
	}
	for _, code := range []string{"", "USABA", "USAB", "USABA021000022", "USABA000000000", "USABA02100002", "GBDSC60161", "INFSCHDFC1000001", "XXXXX123456", "usaba021000021", "GBDSC60-16-13"} {
		_, _, err := SplitClearingCode(code)
		require.Error(t, err, "%q", code)
	}
}
