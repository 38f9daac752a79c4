package mapping

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/language/languagetest"
)

const deals = `records:
  - kind: transaction
    fields: {source: {constant: crm}, transaction_id: Deal, date: Closed, amount: Amount, currency: {constant: USD}}
    attributes: {product: Product}
`

// taken is everything a reading gave, one line each.
type taken struct {
	rows       []Row
	rejections []Rejection
	skipped    int
}

func (t *taken) sink() Sink {
	return Sink{
		Row:    func(r Row) error { t.rows = append(t.rows, r); return nil },
		Reject: func(r Rejection) error { t.rejections = append(t.rejections, r); return nil },
		Skip:   func() error { t.skipped++; return nil },
	}
}

func read(mapping, content string, others map[string]string) (*taken, error) {
	m, err := Parse([]byte(mapping))
	if err != nil {
		return nil, err
	}
	files := map[string]File{}
	for name, text := range others {
		files[name] = File{name, strings.NewReader(text)}
	}
	t := &taken{}
	return t, m.Read(context.Background(), File{"deals.csv", strings.NewReader(content)}, files, t.sink())
}

func TestRows(t *testing.T) {
	t.Parallel()
	const header = "Deal,Closed,Amount,Product\n"
	const reading = "file: {separator: \";\", dates: DD.MM.YYYY, decimal: \",\", thousands: \".\"}\n" + deals
	windows, err := charmap.Windows1252.NewEncoder().String("Deal,Closed,Amount,Product\n1,2026-01-31,10,Ménage €\n")
	require.NoError(t, err)
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(header + "1,2026-01-31,10,x\n")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		mapping, content string
		others           map[string]string
		rows             []string // the JSON of each record
		rejected         []string // "line column=value code: reason"
		skipped          int
	}{
		"plain":                 {mapping: deals, content: header + "1,2026-01-31,12345678901234567.89,x\n", rows: []string{`{"amount":"12345678901234567.89","attributes":{"product":"x"},"currency":"USD","date":"2026-01-31","refund_of":null,"source":"crm","transaction_id":"1"}`}},
		"byte order mark":       {mapping: deals, content: "\ufeff\"Deal\",Closed,Amount,Product\r\n1,2026-01-31,10,\r\n", rows: []string{`{"amount":"10","attributes":{},"currency":"USD","date":"2026-01-31","refund_of":null,"source":"crm","transaction_id":"1"}`}},
		"time of day":           {mapping: deals, content: header + "1,2026-01-31 23:59:59,10,\n2,2026-01-31T00:00:00Z,10,\n", rows: []string{`"date":"2026-01-31"`, `"date":"2026-01-31"`}},
		"european":              {mapping: reading, content: "Deal;Closed;Amount;Product\n1;31.01.2026;1.234.567,89;x\n2;1.2.2026;-5,00;y\n3;01.02.2026;1,234.50;z\n", rows: []string{`"amount":"1234567.89"`}, rejected: []string{"3 Closed=1.2.2026 malformed: a date is written DD.MM.YYYY", "4 Amount=1,234.50 malformed: a number is written such as 1.234,50"}},
		"marks in any order":    {mapping: "file: {thousands: \".\", decimal: \",\"}\n" + deals, content: header + "1,2026-01-31,\"1.234,50\",\n", rows: []string{`"amount":"1234.5"`}},
		"accountants":           {mapping: "file: {thousands: \",\"}\n" + deals, content: header + "1,2026-01-31,\"(1,234.50)\",\n2,2026-01-31,5.00-,\n3,2026-01-31,\"12,34,567\",\n4,2026-01-31,\"1,2,3\",\n5,2026-01-31,(5,\n6,2026-01-31,(-5),\n", rows: []string{`"amount":"-1234.5"`, `"amount":"-5"`, `"amount":"1234567"`}, rejected: []string{"5 Amount=1,2,3", "6 Amount=(5", "7 Amount=(-5)"}},
		"american dates":        {mapping: "file: {dates: M/D/YYYY}\n" + deals, content: header + "1,1/31/2026,10,\n2,31/1/2026,10,\n", rows: []string{`"date":"2026-01-31"`}, rejected: []string{"3 Closed=31/1/2026 malformed: a date is written M/D/YYYY"}},
		"dates in words":        {mapping: "file: {dates: 'D MMM YYYY'}\n" + deals, content: header + "1,3 Feb 2026,10,\n2,3 Feb 2026 14:00,10,\n", rows: []string{`"date":"2026-02-03"`, `"date":"2026-02-03"`}},
		"windows-1252":          {mapping: "file: {encoding: windows-1252}\n" + deals, content: windows, rows: []string{`"product":"Ménage €"`}},
		"utf-16":                {mapping: "file: {encoding: utf-16}\n" + deals, content: wide, rows: []string{`"product":"x"`}},
		"wrong encoding in row": {mapping: deals, content: windows, rejected: []string{"2 = bad-row: the row cannot be read"}},
		"tabs":                  {mapping: "file: {separator: tab}\n" + deals, content: "Deal\tClosed\tAmount\tProduct\n1\t2026-01-31\t10\tx\n", rows: []string{`"amount":"10"`}},
		"quoted newline":        {mapping: deals, content: header + "1,2026-01-31,10,\"a\"\"b\"\n2,2026-02-30,10,\"c\nd\"\n3,2026-13-01,1,\n", rows: []string{`"product":"a\"b"`}, rejected: []string{"3 Closed=2026-02-30", "5 Closed=2026-13-01"}},
		"stray quote":           {mapping: deals, content: header + "1,2026-01-31,10,a\"b\n2,2026-01-31,10,x\n", rows: []string{`"transaction_id":"2"`}, rejected: []string{"2 = bad-row: the row cannot be read: a quotation mark is out of place"}},
		"ragged":                {mapping: deals, content: header + "1,2026-01-31,10\n2,2026-01-31,10,x,y\n", rejected: []string{"2 = bad-row: the row has 3 columns, and the header 4", "3 = bad-row: the row has 5 columns"}},
		"missing":               {mapping: deals, content: header + ",2026-01-31,10,x\n2, ,10,x\n", rejected: []string{"2 Deal= missing: a transaction must have a transaction_id", "3 Closed= missing: a transaction must have a date"}},
		"no number":             {mapping: deals, content: header + "1,2026-01-31,1e3,x\n2,2026-01-31,NaN,x\n3,2026-01-31,\"1,5\",\n", rejected: []string{"2 Amount=1e3 malformed: a number is written such as 1234.50", "3 Amount=NaN", "4 Amount=1,5"}},
		"same row twice":        {mapping: deals, content: header + "1,2026-01-31,10,x\n1,2026-01-31,10,x\n1,2026-01-31,11,x\n", rows: []string{`"amount":"10"`}, rejected: []string{"4 = doubled: line 2 says something else of the same transaction (crm, 1)"}},
		"nul":                   {mapping: deals, content: header + "1,2026-01-31,10,a\x00b\n", rejected: []string{"2 = bad-row"}},
		"header only":           {mapping: deals, content: header},
		"skipped": {mapping: "skip_when: [{value: Product, is: ['', n/a]}, {value: Deal, is_not: '1'}]\n" + deals, content: header + "1,2026-01-31,10,x\n1,bad,10,\n2,2026-01-31,10,x\n",
			rows: []string{`"amount":"10"`}, skipped: 2},
		"product": {mapping: strings.Replace(deals, "amount: Amount", "amount: {product: [Amount, Product, {one_minus: Discount}]}", 1), content: "Deal,Closed,Amount,Product,Discount\n1,2026-01-31,9.8,10,0.15\n2,2026-01-31,9.8,x,0\n",
			rows: []string{`"amount":"83.3"`}, rejected: []string{"3 Product=x malformed: a number is written such as 1234.50"}},
		"lookup": {mapping: "lookups: {orders: {file: orders.csv, key: id}}\n" + strings.Replace(deals, "date: Closed", "date: {lookup: orders, by: Deal, column: day}", 1), content: header + "1,,10,x\n2,,10,x\n",
			others: map[string]string{"orders.csv": "id,day\n1,2026-03-04\n"}, rows: []string{`"date":"2026-03-04"`}, rejected: []string{"3 Deal=2 malformed: the lookup orders has no row with this key"}},
		"translated": {mapping: strings.Replace(deals, "{product: Product}", "{product: {column: Product, values: {x: ex}}, kind: {column: Product, values: {x: y}, otherwise: z}, net: {column: Amount, as: number}, day: {column: Closed, as: date}, any: {first: [Product, Deal]}, all: {join: [Deal, Product], separator: '/'}}", 1),
			content: header + "1,2026-01-31,010.50,x\n2,2026-01-31,1,w\n", rows: []string{`"attributes":{"all":"1/x","any":"x","day":"2026-01-31","kind":"y","net":"10.5","product":"ex"}`}, rejected: []string{"3 Product=w malformed: the mapping's \"values\" do not say what this means"}},
		"two records": {mapping: deals + "  - kind: credit\n    fields: {source: {constant: crm}, transaction_id: Deal, participant_id: Product, share: {constant: 50%}}\n", content: header + "1,2026-01-31,10,r1\n2,2026-01-31,10,\n",
			rows: []string{`"transaction_id":"1"`, `{"participant_id":"r1","role":"owner","share":"0.5","source":"crm","transaction_id":"1"}`}, rejected: []string{"3 Product= missing: a credit must have a participant_id"}},
		"period":     {mapping: "records: [{kind: period, fields: {calendar_id: {constant: m}, code: Deal, starts_on: Closed, ends_on: Amount}}]", content: header + "2026-01,2026-01-01,2026-01-31,\n2026-02,2026-02-28,2026-02-01,\na b,2026-01-01,2026-01-31,\n", rows: []string{`{"calendar_id":"m","code":"2026-01","ends_on":"2026-01-31","id":"m-2026-01","starts_on":"2026-01-01"}`}, rejected: []string{"3 Amount=2026-02-01 malformed: the last day comes before the first, 2026-02-28", "4 Deal=a b malformed: a code is made of letters"}},
		"quota":      {mapping: "records: [{kind: quota, fields: {participant_id: Deal, measure: {constant: sales}, starts_on: Closed, amount: Amount}}]", content: header + "r1,2026-01-01,10,\n", rejected: []string{"2 = malformed: a quota has a last day (ends_on), or a calendar (calendar_id)"}},
		"people":     {mapping: "records: [{kind: participant, fields: {participant_id: Deal, effective_from: Closed, name: Deal, manager_id: Product, country: {constant: US}, pay_currency: Amount}}]", content: header + "r1,2026-01-01,USD,r1\nr2,2026-01-01,usd,\nr3,2026-01-01,EUR,r1\n", rows: []string{`{"attributes":{},"country":"US","effective_from":"2026-01-01","email":"","employed_until":null,"kind":"employee","manager_id":"r1","name":"r3","participant_id":"r3","pay_currency":"EUR"}`}, rejected: []string{"2 Product=r1 malformed: nobody is their own manager", "3 Amount=usd malformed: a currency is written"}},
		"blank rows": {mapping: deals, content: header + "1,2026-01-31,10,x\n,,,\n , ,,\n", rows: []string{`"amount":"10"`}},
		"no date":    {mapping: deals, content: header + "1,2026-01-31 to 2026-02-05,10,x\n", rejected: []string{"2 Closed=2026-01-31 to 2026-02-05 malformed"}},
		"an amount of a deal": {mapping: deals + "  - kind: credit\n    fields: {source: {constant: crm}, transaction_id: Deal, participant_id: Product, amount: {constant: '2.5'}}\n", content: header + "1,2026-01-31,10,r1\n",
			rows: []string{`"transaction_id":"1"`, `{"amount":"2.5","participant_id":"r1","role":"owner","source":"crm","transaction_id":"1"}`}},
		"a share and an amount": {mapping: deals + "  - kind: credit\n    fields: {source: {constant: crm}, transaction_id: Deal, participant_id: Product, share: {constant: 50%}, amount: {constant: '2.5'}}\n", content: header + "1,2026-01-31,10,r1\n", rejected: []string{"2 =2.5 malformed: a credit is of a share of the transaction or of an amount of it: give one of the two"}},
		"too much":              {mapping: deals + "  - kind: credit\n    fields: {source: {constant: crm}, transaction_id: Deal, participant_id: Product, share: {constant: '50'}}\n", content: header + "1,2026-01-31,10,r1\n", rejected: []string{"2 =50 malformed: a share lies between 0 and 1, such as 0.5 or 50%"}},
		"rejected before":       {mapping: deals + "  - kind: credit\n    fields: {source: {constant: crm}, transaction_id: Deal, participant_id: Product}\n", content: header + "1,2026-01-31,10,\n1,2026-01-31,10,r1\n", rows: []string{`"transaction_id":"1"`, `"participant_id":"r1"`}, rejected: []string{"2 Product= missing"}},
		"joined key":            {mapping: strings.Replace(deals, "transaction_id: Deal", "transaction_id: {join: [Deal, Product], separator: '-'}", 1), content: header + "1,2026-01-31,10,\n", rejected: []string{"2 Deal= missing"}},
		"lookup's dates": {mapping: "lookups: {orders: {file: orders.csv, key: id, dates: DD.MM.YYYY}, same: {file: orders.csv, key: id}}\n" + strings.Replace(deals, "date: Closed", "date: {lookup: orders, by: Deal, column: day}", 1), content: header + "1,,10,x\n",
			others: map[string]string{"orders.csv": "id,day\n1,04.03.2026\n"}, rows: []string{`"date":"2026-03-04"`}},
		"reserved":       {mapping: "records: [{kind: participant, fields: {participant_id: Deal, effective_from: Closed, name: Deal, country: {constant: US}, pay_currency: Amount}}]", content: header + "finance,2026-01-01,USD,\n", rejected: []string{"2 Deal=finance malformed"}},
		"negative quota": {mapping: "records: [{kind: quota, fields: {participant_id: Deal, measure: {constant: sales}, starts_on: Closed, ends_on: Closed, amount: Amount}}]", content: header + "r1,2026-01-01,-10,\n", rejected: []string{"2 Amount=-10 malformed: a quota is not below zero"}},
		"rates": {mapping: "records: [{kind: exchange_rate, fields: {rate_source: {constant: ecb}, from_currency: Deal, to_currency: {constant: USD}, date: Closed, rate: Amount}}]", content: header + "EUR,2026-01-01,1.0847,\nGBP,2026-01-01,0,\nUSD,2026-01-01,1,\n",
			rows: []string{`{"date":"2026-01-01","from_currency":"EUR","rate":"1.0847","rate_source":"ecb","to_currency":"USD"}`}, rejected: []string{"3 Amount=0 malformed: an exchange rate is above zero", "4 =USD malformed: a rate is from one currency to another"}},
		"countries": {mapping: "records: [{kind: participant, fields: {participant_id: Deal, effective_from: Closed, name: Deal, country: Product, kind: Product, pay_currency: {constant: USD}}}]", content: header + "r1,2026-01-01,1,USA\n", rejected: []string{"2 Product=USA malformed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(c.mapping, c.content, c.others)
			require.NoError(t, err)
			require.Len(t, got.rows, len(c.rows), "%v", got.rejections)
			for i, want := range c.rows {
				data, err := json.Marshal(got.rows[i].Record)
				require.NoError(t, err)
				require.Contains(t, string(data), want)
			}
			require.Len(t, got.rejections, len(c.rejected), "%v", got.rejections)
			for i, want := range c.rejected {
				r := got.rejections[i]
				require.True(t, strings.HasPrefix(fmt.Sprintf("%d %s=%s %s: %s", r.Line, r.Column, r.Value, r.Code, r.Reason), want), "%+v", r)
				languagetest.NoEnglish(t, language.Indonesian.Translate(r.Reason))
				require.NotEmpty(t, r.Raw, "the row as it stood")
			}
			require.Equal(t, c.skipped, got.skipped)
		})
	}
}

// TestRaw shows rejected rows as they stand in the file.
func TestRaw(t *testing.T) {
	t.Parallel()
	got, err := read(deals, "Deal,Closed,Amount,Product\r\n1,x,\"1\n2\",\"\"\"\"\r\n2,2026-01-31,10,x\r\n3,y,1,\r\n", nil)
	require.NoError(t, err)
	require.Equal(t, "1,x,\"1\n2\",\"\"\"\"", got.rejections[0].Raw)
	require.Equal(t, "3,y,1,", got.rejections[1].Raw)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	lookups := "lookups: {orders: {file: orders.csv, key: id}}\n" + strings.Replace(deals, "date: Closed", "date: {lookup: orders, by: Deal, column: day}", 1)
	for name, c := range map[string]struct {
		mapping, content string
		others           map[string]string
		message          string
	}{
		"empty":            {deals, "", nil, "deals.csv is empty: its first row names the columns"},
		"no such column":   {deals, "Deal,Closed,Sum\n", nil, `line 3, column 83 of the mapping reads column "Amount", and deals.csv has Deal, Closed, Sum`},
		"doubled column":   {deals, "Deal,Closed,Amount,Product,Deal\n", nil, `two columns named "Deal"`},
		"other encoding":   {deals, "D\xe9al,Closed,Amount,Product\n", nil, "it holds bytes that are no text in this encoding"},
		"no lookup file":   {lookups, "Deal,Closed,Amount,Product\n", nil, "looks values up in orders.csv, which did not come with deals.csv"},
		"no lookup key":    {lookups, "Deal,Closed,Amount,Product\n", map[string]string{"orders.csv": "nr,day\n"}, `orders.csv has no column "id"`},
		"no lookup column": {lookups, "Deal,Closed,Amount,Product\n", map[string]string{"orders.csv": "id,date\n"}, `column "day" of the lookup orders, which is not there`},
		"unclosed quote":   {deals, "Deal,Closed,Amount,Product\n1,\"" + strings.Repeat("x\n", 1<<20), nil, "a quotation mark before it is not closed"},
		"ambiguous lookup": {lookups, "Deal,Closed,Amount,Product\n", map[string]string{"orders.csv": "id,day\n1,a\n1,b\n"}, "two rows whose id is \"1\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(c.mapping, c.content, c.others)
			require.ErrorContains(t, err, c.message)
			require.Equal(t, CodeBadFile, incentive.ErrorCode(err))
		})
	}
}

func TestMappings(t *testing.T) {
	t.Parallel()
	record := func(value string) string { return strings.Replace(deals, "amount: Amount", "amount: "+value, 1) }
	for name, c := range map[string]struct {
		mapping string
		problem string // none: a good mapping
		beyond  bool   // what a JSON Schema cannot say
	}{
		"plain":            {deals, "", false},
		"no records":       {"file: {}\n", `a mapping lacks "records"`, false},
		"unknown kind":     {"records: [{kind: deal, fields: {}}]", `"deal" is not known here: write participant, period, holiday, territory, territory_member, territory_quota, team, team_member, team_quota, transaction, credit, quota, quota_relief, exchange_rate, assignment or opportunity`, false},
		"lacking field":    {"records: [{kind: holiday, fields: {date: a}}]", `a holiday lacks "name"`, true},
		"unknown field":    {"records: [{kind: holiday, fields: {date: a, name: b, day: c}}]", `a holiday has no "day": it may have date or name`, true},
		"two ways":         {record("{column: a, constant: b}"), "exactly one of constant, column, join, product and first", false},
		"one minus":        {record("{one_minus: a}"), `a value has no "one_minus"`, true},
		"lookup of what":   {record("{lookup: a}"), "exactly one of", false},
		"lookup by what":   {record("{lookup: a, column: b}"), "by which value it is found", false},
		"unknown lookup":   {record("{lookup: a, by: c, column: b}"), `there is no lookup "a"`, true},
		"separator":        {"file: {separator: xx}\n" + deals, `"xx" cannot separate columns`, false},
		"encoding":         {"file: {encoding: ebcdic}\n" + deals, `"ebcdic" is not an encoding that is known: write iso-8859-1, iso-8859-15, utf-16, utf-8 or windows-1252`, false},
		"dates":            {"file: {dates: YYYY-DD}\n" + deals, `"YYYY-DD" is not a date format`, true},
		"go dates":         {"file: {dates: 2006-01-02}\n" + deals, "is not a date format", true},
		"point":            {"file: {decimal: ''}\n" + deals, "is no such mark", false},
		"same marks":       {"file: {decimal: ',', thousands: ','}\n" + deals, "are the same", true},
		"attributes":       {"records: [{kind: holiday, fields: {date: a, name: b}, attributes: {c: d}}]", "a holiday has no attributes", true},
		"attribute name":   {strings.Replace(deals, "{product:", "{Product Name:", 1), `"Product Name" cannot name an attribute`, false},
		"condition":        {"skip_when: [{value: a}]\n" + deals, "one of is and is_not", false},
		"otherwise":        {record("{column: a, otherwise: b}"), `"otherwise" goes with "values" or a lookup`, true},
		"as":               {record("{column: a, as: money}"), `"money" is not known here: write text, number or date`, false},
		"lookup's own key": {"lookups: {a: {file: b}}\n" + deals, `a lookup lacks "key"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.mapping))
			if c.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.problem)
				languagetest.NoEnglish(t, language.Indonesian.Translate(incentive.ErrorMessage(err)))
				require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err))
			}
			if !c.beyond {
				require.Equal(t, c.problem == "", schemaAccepts(t, c.mapping), "the schema should agree")
			}
		})
	}
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = Parse(text)
		require.NoError(t, err, file)
		require.True(t, schemaAccepts(t, string(text)), file)
	}
}

func schemaAccepts(t *testing.T, text string) bool {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("mapping.json", raw))
	schema, err := compiler.Compile("mapping.json")
	require.NoError(t, err)
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value))
	return schema.Validate(value) == nil
}

// TestWhatIsWrittenIsRead writes deals in any dialect and reads them back.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		separator := rapid.SampledFrom([]string{",", ";", "|", "tab"}).Draw(t, "separator")
		point := rapid.SampledFrom([]string{".", ","}).Draw(t, "point")
		dates := rapid.SampledFrom([]string{"YYYY-MM-DD", "DD.MM.YYYY", "M/D/YYYY", "D MMM YYYY"}).Draw(t, "dates")
		layout, err := DateLayout(dates)
		require.NoError(t, err)
		var buffer bytes.Buffer
		w := csv.NewWriter(&buffer)
		w.Comma = map[string]rune{",": ',', ";": ';', "|": '|', "tab": '\t'}[separator]
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		require.NoError(t, w.Write([]string{"Deal", "Closed", "Amount", "Product"}))
		var want []string
		for i := range rapid.IntRange(0, 20).Draw(t, "rows") {
			amount := decimal.New(rapid.Int64().Draw(t, "amount"), -rapid.Int32Range(0, 6).Draw(t, "places"))
			on := incentive.MustParseDate("2026-01-01").AddDays(rapid.IntRange(0, 3000).Draw(t, "day"))
			product := strings.TrimSpace(rapid.StringMatching(`[a-zé;,|"' .]{0,20}`).Draw(t, "product"))
			require.NoError(t, w.Write([]string{fmt.Sprint(i), on.UTC().Format(layout), strings.Replace(amount.String(), ".", point, 1), product}))
			want = append(want, fmt.Sprint(i, on, amount, product))
		}
		w.Flush()
		got, err := read(fmt.Sprintf("file: {separator: %q, dates: %q, decimal: %q}\n", separator, dates, point)+deals, buffer.String(), nil)
		require.NoError(t, err)
		require.Empty(t, got.rejections)
		var read []string
		for _, r := range got.rows {
			read = append(read, fmt.Sprint(r.Record["transaction_id"], " ", r.Record["date"], r.Record["amount"], r.Record["attributes"].(map[string]string)["product"]))
		}
		require.Len(t, read, len(want))
		for i := range want {
			require.Equal(t, strings.ReplaceAll(want[i], " ", ""), strings.ReplaceAll(read[i], " ", ""))
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(deals, "Deal,Closed,Amount,Product\n1,2026-01-31,10,x\n")
	f.Add("file: {separator: \";\", thousands: \".\", decimal: \",\"}\n"+deals, "Deal;Closed;Amount;Product\n1;2026-01-31;1.000,5;\"x\n\"\n")
	f.Fuzz(func(t *testing.T, mapping, content string) {
		got, err := read(mapping, content, map[string]string{})
		if err != nil {
			require.NotEqual(t, incentive.CodeInternal, incentive.ErrorCode(err), "%v", err)
			return
		}
		for _, r := range got.rows {
			_, err := json.Marshal(r.Record)
			require.NoError(t, err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var content strings.Builder
	content.WriteString("Deal,Closed,Amount,Product\n")
	for i := range 100_000 {
		fmt.Fprintf(&content, "D%d,2026-01-%02d,%d.50,platform\n", i, i%31+1, i)
	}
	b.SetBytes(int64(content.Len()))
	for range b.N {
		got, err := read(deals, content.String(), nil)
		require.NoError(b, err)
		require.Len(b, got.rows, 100_000)
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
