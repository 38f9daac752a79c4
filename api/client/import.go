package client

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
)

// File is a file to import.
type File struct {
	Name    string
	Content io.Reader
}

// Import sends files with the mapping that reads them; the main file comes first.
func (c *Client) Import(ctx context.Context, key string, mapping []byte, files ...File) (Import, error) {
	body, write := io.Pipe()
	parts := multipart.NewWriter(write)
	go func() {
		part, err := parts.CreateFormFile("mapping", "mapping.yaml")
		if err == nil {
			_, err = part.Write(mapping)
		}
		for _, f := range files {
			if err != nil {
				break
			}
			if part, err = parts.CreateFormFile("files", f.Name); err == nil {
				_, err = io.Copy(part, f.Content)
			}
		}
		write.CloseWithError(errors.Join(err, parts.Close()))
	}()
	answer, err := Read[Import](c.ImportFilesWithBody(ctx, &ImportFilesParams{IdempotencyKey: key}, parts.FormDataContentType(), body))
	_ = body.Close() // lets the writer go where the API did not read to the end
	return answer, err
}

// AddEvidenceFile sends one file to a dispute.
func (c *Client) AddEvidenceFile(ctx context.Context, key, dispute string, f File) (Evidence, error) {
	body, write := io.Pipe()
	parts := multipart.NewWriter(write)
	go func() {
		part, err := parts.CreateFormFile("file", f.Name)
		if err == nil {
			_, err = io.Copy(part, f.Content)
		}
		write.CloseWithError(errors.Join(err, parts.Close()))
	}()
	answer, err := Read[Evidence](c.AddEvidenceWithBody(ctx, dispute, &AddEvidenceParams{IdempotencyKey: key}, parts.FormDataContentType(), body))
	_ = body.Close() // lets the writer go where the API did not read to the end
	return answer, err
}
