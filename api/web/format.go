package web

// short is the beginning of a digest.
func short(digest string) string { return digest[:min(12, len(digest))] }
