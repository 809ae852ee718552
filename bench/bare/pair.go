package main

import (
	"slices"
	"strings"
	"syscall"
	"time"
)

// What the API server takes: the two writes per key and nothing else.
func pair(s *settings) (any, error) {
	c, err := newClient(s, s.token)
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(s.keysFile)
	if err != nil {
		return nil, err
	}
	if s.count > 0 && s.count < len(keys) {
		keys = keys[:s.count]
	}
	templates, err := readBodies(s)
	if err != nil {
		return nil, err
	}
	query := s.query
	if s.dryRun {
		query = joinQuery(query, "dryRun=All")
	}
	prepared := make([][2]write, len(keys))
	for i, k := range keys {
		prepared[i] = templates.writes(k, query)
	}
	tookMs := make([]float64, len(keys))
	cpuBefore := cpuSeconds()
	start := time.Now()
	err = inParallel(len(keys), s.workers, func(i int) error {
		begin := time.Now()
		defer func() { tookMs[i] = msSince(begin) }()
		return issue(c, prepared[i])
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"pairs":      len(keys),
		"seconds":    time.Since(start).Seconds(),
		"cpuSeconds": cpuSeconds() - cpuBefore,
		"pairMs":     summary(tookMs),
		"bodyBytes":  []int{len(prepared[0][0].body), len(prepared[0][1].body)},
	}, nil
}

func issue(c *client, writes [2]write) error {
	for _, w := range writes {
		if _, err := c.call(w.method, w.path, w.body); err != nil {
			return err
		}
	}
	return nil
}

func joinQuery(query, more string) string {
	if strings.Contains(query, "?") {
		return query + "&" + more
	}
	return "?" + more
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func msSince(start time.Time) float64 { return time.Since(start).Seconds() * 1000 }

type spread struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func summary(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))] }
	return spread{len(sorted), at(0.5), at(0.9), at(0.99), sorted[len(sorted)-1]}
}
