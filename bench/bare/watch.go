package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// Sorted fields of a condition end in its status and type.
var isReady = []byte(`"status":"True","type":"Ready"`)

var isError = []byte(`{"type":"ERROR"`)

// Follows all ApiKeys from now on; the same cheap look at the text for whoever is measured.
type watcher struct {
	client  *client
	version string
	closed  atomic.Bool
	stream  io.ReadCloser
	lines   *bufio.Reader
	seen    map[string]time.Time
}

func startWatcher(s *settings) (*watcher, error) {
	c, err := newClient(s, s.token)
	if err != nil {
		return nil, err
	}
	answer, err := c.callFor("application/json", "GET", group+"/apikeys?limit=1", nil)
	if err != nil {
		return nil, err
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	w := &watcher{client: c, version: list.Metadata.ResourceVersion, seen: map[string]time.Time{}}
	return w, w.open()
}

// Opens the stream after the last version that was seen. The server answers 429 for a moment, until
// its own watch cache is filled, and ends the stream of a reader that a busy machine made slow.
func (w *watcher) open() error {
	path := group + "/apikeys?watch=true&allowWatchBookmarks=true&timeoutSeconds=3600&resourceVersion=" + w.version
	for range 100 {
		res, err := w.client.open("GET", path, "application/json", nil)
		if err != nil {
			return err
		}
		if res.StatusCode == http.StatusOK {
			w.stream, w.lines = res.Body, bufio.NewReaderSize(res.Body, 1<<18)
			return nil
		}
		res.Body.Close()
		if res.StatusCode != http.StatusTooManyRequests {
			return fmt.Errorf("watch: %s", res.Status)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("watch: refused for ten seconds")
}

// Ends the watch for good; next answers an error from then on.
func (w *watcher) close() {
	w.closed.Store(true)
	w.stream.Close()
}

// The next key that became Ready for the first time, as namespace/name, and when that was seen.
func (w *watcher) next() (string, time.Time, error) {
	for {
		line, err := w.lines.ReadBytes('\n')
		if err != nil {
			if w.closed.Load() {
				return "", time.Time{}, err
			}
			fmt.Fprintln(os.Stderr, "watch interrupted:", err)
			if err := w.open(); err != nil {
				return "", time.Time{}, err
			}
			continue
		}
		if bytes.HasPrefix(line, isError) {
			return "", time.Time{}, fmt.Errorf("watch: %.300s", line)
		}
		w.version = field(line, `"resourceVersion":"`)
		if !bytes.Contains(line, isReady) {
			continue
		}
		at := time.Now()
		id := field(line, `"namespace":"`) + "/" + field(line, `"name":"`)
		if _, known := w.seen[id]; known {
			continue
		}
		w.seen[id] = at
		return id, at, nil
	}
}

// The text after the last occurrence of the mark in the metadata, up to the next quote. managedFields
// come before the name and hold no plain "name" entry.
func field(line []byte, mark string) string {
	end := bytes.Index(line, []byte(`,"spec":`))
	if end < 0 {
		end = len(line)
	}
	at := bytes.LastIndex(line[:end], []byte(mark))
	if at < 0 {
		return ""
	}
	rest := line[at+len(mark):]
	return string(rest[:bytes.IndexByte(rest, '"')])
}

// Says "watching" on standard error as soon as nothing can be missed any more.
func watch(s *settings) (any, error) {
	w, err := startWatcher(s)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "watching")
	limit := time.AfterFunc(time.Duration(s.seconds*float64(time.Second)), w.close)
	defer limit.Stop()
	// Whoever started us may end the wait by closing our standard input.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		w.close()
	}()
	var first, last time.Time
	for len(w.seen) < s.count {
		_, at, err := w.next()
		if err != nil && !w.closed.Load() {
			return nil, err
		}
		if err != nil {
			break
		}
		if first.IsZero() {
			first = at
		}
		last = at
	}
	answer := map[string]any{"ready": len(w.seen), "cpuSeconds": cpuSeconds()}
	if len(w.seen) > 0 {
		answer["firstMs"] = float64(first.UnixMicro()) / 1000
		answer["lastMs"] = float64(last.UnixMicro()) / 1000
	}
	return answer, nil
}
