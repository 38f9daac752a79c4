package store

// ExportedColumns returns the columns that an export holds, by table, and what it leaves
// out, with the reason: for a test that walks the schema.
func ExportedColumns() (exported map[string][]string, left map[string]string) {
	exported = map[string][]string{}
	for _, t := range tables() {
		for _, c := range t.columns {
			exported[t.table] = append(exported[t.table], c.name)
		}
	}
	return exported, notExported
}
