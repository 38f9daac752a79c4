package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
)

// File is a file to send.
type File struct {
	Name    string
	Content io.Reader
}

// part is one part of an upload.
type part struct {
	field string
	File
}

// upload sends parts by a call, without holding them in memory.
func upload[T any](call func(contentType string, body io.Reader) (*http.Response, error), all ...part) (T, error) {
	body, write := io.Pipe()
	parts := multipart.NewWriter(write)
	go func() {
		var failed error
		for _, p := range all {
			var to io.Writer
			if to, failed = parts.CreateFormFile(p.field, p.Name); failed == nil {
				_, failed = io.Copy(to, p.Content)
			}
			if failed != nil {
				break
			}
		}
		write.CloseWithError(errors.Join(failed, parts.Close()))
	}()
	answer, err := Read[T](call(parts.FormDataContentType(), body))
	_ = body.Close() // lets the writer go where the API did not read to the end
	return answer, err
}

// AddEvidenceFile sends one file to a dispute.
func (c *Client) AddEvidenceFile(ctx context.Context, key, dispute string, f File) (Evidence, error) {
	return upload[Evidence](func(contentType string, body io.Reader) (*http.Response, error) {
		return c.AddEvidenceWithBody(ctx, dispute, &AddEvidenceParams{IdempotencyKey: key}, contentType, body)
	}, part{"file", f})
}

// AddDealEvidenceFile sends one file to a deal that one has entered.
func (c *Client) AddDealEvidenceFile(ctx context.Context, key, deal string, f File) (Evidence, error) {
	return upload[Evidence](func(contentType string, body io.Reader) (*http.Response, error) {
		return c.AddDealEvidenceWithBody(ctx, deal, &AddDealEvidenceParams{IdempotencyKey: key}, contentType, body)
	}, part{"file", f})
}

// Import sends files with the mapping that reads them; the main file comes first.
func (c *Client) Import(ctx context.Context, key string, mapping []byte, files ...File) (Import, error) {
	all := []part{{"mapping", File{"mapping.yaml", bytes.NewReader(mapping)}}}
	for _, f := range files {
		all = append(all, part{"files", f})
	}
	return upload[Import](func(contentType string, body io.Reader) (*http.Response, error) {
		return c.ImportFilesWithBody(ctx, &ImportFilesParams{IdempotencyKey: key}, contentType, body)
	}, all...)
}

// UploadStatus hands in what a bank says of a rail's payment files.
func (c *Client) UploadStatus(ctx context.Context, key, rail string, f File) (StatusFile, error) {
	return upload[StatusFile](func(contentType string, body io.Reader) (*http.Response, error) {
		return c.UploadStatusFileWithBody(ctx, rail, &UploadStatusFileParams{IdempotencyKey: key}, contentType, body)
	}, part{"file", f})
}
