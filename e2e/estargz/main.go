// Reads an eStargz blob as its authors do, and prints what is in it: estargz-judge BLOB TOC-DIGEST
// Or writes one as they do, and prints the digest of its table of contents: estargz-judge TAR BLOB CHUNK-SIZE MIN-CHUNK-SIZE
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/opencontainers/go-digest"
)

type line struct {
	*estargz.TOCEntry
	Sum string `json:"sum,omitempty"`
}

func main() {
	file, err := os.Open(os.Args[1])
	check(err)
	stat, err := file.Stat()
	check(err)
	blob := io.NewSectionReader(file, 0, stat.Size())
	if len(os.Args) == 5 {
		write(blob, os.Args[2], number(os.Args[3]), number(os.Args[4]))
		return
	}
	reader, err := estargz.Open(blob)
	check(err)
	verifiers, err := reader.VerifyTOC(digest.Digest(os.Args[2]))
	check(err)
	root, ok := reader.Lookup("")
	if !ok {
		check(fmt.Errorf("no root"))
	}
	walk(reader, verifiers, root, "")
}

func write(tar *io.SectionReader, path string, chunkSize, minChunkSize int) {
	made, err := estargz.Build(tar, estargz.WithChunkSize(chunkSize), estargz.WithMinChunkSize(minChunkSize))
	check(err)
	defer made.Close()
	file, err := os.Create(path)
	check(err)
	_, err = io.Copy(file, made)
	check(err)
	check(file.Close())
	fmt.Println(made.TOCDigest())
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func walk(reader *estargz.Reader, verifiers estargz.TOCEntryVerifier, folder *estargz.TOCEntry, path string) {
	folder.ForeachChild(func(name string, entry *estargz.TOCEntry) bool {
		copied := *entry
		said := line{TOCEntry: &copied}
		// A hard link is shown as the file that it stands for, and its parts are known by the name of that.
		file := entry.Name
		if entry.Type == "reg" {
			content, err := reader.OpenFile(file)
			check(err)
			sum := sha256.New()
			for at := int64(0); at < entry.Size; {
				chunk, ok := reader.ChunkEntryForOffset(file, at)
				if !ok {
					check(fmt.Errorf("%s has no chunk at %d", file, at))
				}
				verifier, err := verifiers.Verifier(chunk)
				check(err)
				_, err = io.Copy(io.MultiWriter(sum, verifier), io.NewSectionReader(content, at, chunk.ChunkSize))
				check(err)
				if !verifier.Verified() {
					check(fmt.Errorf("%s is not what its chunk digest says", file))
				}
				at += chunk.ChunkSize
			}
			said.Sum = fmt.Sprintf("sha256:%x", sum.Sum(nil))
		}
		said.Name = path + name
		text, err := json.Marshal(said)
		check(err)
		fmt.Println(string(text))
		if entry.Type == "dir" {
			walk(reader, verifiers, entry, path+name+"/")
		}
		return true
	})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "estargz-judge:", err)
		os.Exit(1)
	}
}
