// Writes and reads a cache of flux by flux's own package: one command a line on stdin, one answer a line on stdout.
//
//	flux-cache fixed HOST:PORT...            those servers
//	flux-cache srv SERVICE HOST DNS:PORT     servers by SRV records, asked of that name server
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/go-kit/kit/log"

	"github.com/fluxcd/flux/pkg/image"
	"github.com/fluxcd/flux/pkg/registry"
	"github.com/fluxcd/flux/pkg/registry/cache"
	"github.com/fluxcd/flux/pkg/registry/cache/memcached"
)

type command struct {
	// set-entry, set-excluded, set-repository, get-key-of-tag, get-key-of-repository, get-image, get-repository
	Do       string
	Image    string
	Deadline int64
	// A string, or nothing.
	Reason  string
	Digest  string
	Created time.Time
	Tags    []string
	Error   string
}

type answer struct {
	Value    string `json:",omitempty"`
	Deadline int64  `json:",omitempty"`
	Error    string `json:",omitempty"`
}

func client() *memcached.MemcacheClient {
	config := memcached.MemcacheConfig{Timeout: 30 * time.Second, UpdateInterval: time.Minute, Logger: log.NewNopLogger()}
	if os.Args[1] == "fixed" {
		return memcached.NewFixedServerMemcacheClient(config, os.Args[2:]...)
	}
	config.Service, config.Host = os.Args[2], os.Args[3]
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", os.Args[4])
	}}
	return memcached.NewMemcacheClient(config)
}

func (c command) info(ref image.Ref) image.Info {
	return image.Info{ID: ref, Digest: c.Digest, ImageID: c.Digest, CreatedAt: c.Created, LastFetched: c.Created,
		Labels: image.Labels{BuildDate: c.Created}}
}

func (c command) run(in *memcached.MemcacheClient) (interface{}, int64, error) {
	ref, err := image.ParseRef(c.Image)
	if err != nil {
		return nil, 0, err
	}
	tagKey, repositoryKey := cache.NewManifestKey(ref.CanonicalRef()), cache.NewRepositoryKey(ref.CanonicalName())
	set := func(key cache.Keyer, value interface{}) (interface{}, int64, error) {
		bytes, err := json.Marshal(value)
		if err != nil {
			return nil, 0, err
		}
		return nil, 0, in.SetKey(key, time.Unix(c.Deadline, 0), bytes)
	}
	get := func(key cache.Keyer) (interface{}, int64, error) {
		bytes, deadline, err := in.GetKey(key)
		return json.RawMessage(bytes), deadline.Unix(), err
	}
	known := &cache.Cache{Reader: in}
	switch c.Do {
	case "set-entry":
		return set(tagKey, registry.ImageEntry{Info: c.info(ref)})
	case "set-excluded":
		return set(tagKey, registry.ImageEntry{Excluded: registry.Excluded{ExcludedReason: c.Reason}})
	case "set-repository":
		images := map[string]image.Info{}
		for _, tag := range c.Tags {
			images[tag] = c.info(ref.Name.ToRef(tag))
		}
		metadata := image.RepositoryMetadata{Tags: c.Tags, Images: images}
		return set(repositoryKey, cache.ImageRepository{RepositoryMetadata: metadata, LastError: c.Error, LastUpdate: c.Created})
	case "get-key-of-tag":
		return get(tagKey)
	case "get-key-of-repository":
		return get(repositoryKey)
	case "get-image":
		found, err := known.GetImage(ref)
		return found, 0, err
	case "get-repository":
		found, err := known.GetImageRepositoryMetadata(ref.Name)
		return found, 0, err
	}
	return nil, 0, fmt.Errorf("no command %q", c.Do)
}

func main() {
	in := client()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		value, deadline, err := c.run(in)
		a := answer{Deadline: deadline}
		if err != nil {
			a.Error = err.Error()
		} else if bytes, err := json.Marshal(value); err != nil {
			a.Error = err.Error()
		} else {
			a.Value = string(bytes)
		}
		bytes, _ := json.Marshal(a)
		fmt.Println(string(bytes))
	}
}
