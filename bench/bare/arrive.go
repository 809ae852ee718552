package main

import (
	"fmt"
	"sync"
	"time"
)

type arrival struct {
	sent, created, issued time.Time
	err                   error
}

// Keys arrive at a fixed rate, whether or not earlier ones are done. With -pair-token the program
// issues them itself, which is the fastest that the server allows at this load.
func arrive(s *settings) (any, error) {
	creator, err := newClient(s, s.token)
	if err != nil {
		return nil, err
	}
	issueOne, err := issuer(s)
	if err != nil {
		return nil, err
	}
	w, err := startWatcher(s)
	if err != nil {
		return nil, err
	}
	count := int(s.rate * s.seconds)
	arrivals := make([]arrival, count)
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		for len(w.seen) < count {
			if _, _, err := w.next(); err != nil {
				return
			}
		}
	}()
	var all sync.WaitGroup
	start := time.Now()
	for i := range count {
		time.Sleep(time.Until(start.Add(time.Duration(float64(i) / s.rate * float64(time.Second)))))
		all.Add(1)
		go func() {
			defer all.Done()
			arriveOne(&arrivals[i], func() (key, error) {
				return createKey(creator, s.namespaces[i%len(s.namespaces)], arrivalName(i), "")
			}, issueOne)
		}()
	}
	all.Wait()
	select {
	case <-seen:
	case <-time.After(60 * time.Second):
		w.close()
		<-seen
	}
	return arrivalSummary(s, arrivals, w.seen)
}

func arrivalName(i int) string { return fmt.Sprintf("arr-%06d", i) }

func issuer(s *settings) (func(key) error, error) {
	if s.pairToken == "" {
		return func(key) error { return nil }, nil
	}
	c, err := newClient(s, s.pairToken)
	if err != nil {
		return nil, err
	}
	templates, err := readBodies(s)
	return func(k key) error { return issue(c, templates.writes(k, s.query)) }, err
}

func arriveOne(a *arrival, create func() (key, error), issueOne func(key) error) {
	a.sent = time.Now()
	k, err := create()
	a.created = time.Now()
	if a.err = err; err == nil {
		a.err = issueOne(k)
		a.issued = time.Now()
	}
}

func arrivalSummary(s *settings, arrivals []arrival, seen map[string]time.Time) (any, error) {
	var createMs, pairMs, readyMs, sentToReadyMs []float64
	missing := 0
	for i, a := range arrivals {
		if a.err != nil {
			return nil, a.err
		}
		at, isThere := seen[s.namespaces[i%len(s.namespaces)]+"/"+arrivalName(i)]
		if !isThere {
			missing++
			continue
		}
		createMs = append(createMs, ms(a.sent, a.created))
		pairMs = append(pairMs, ms(a.created, a.issued))
		// The event may be seen before the answer to the creation.
		readyMs = append(readyMs, max(0, ms(a.created, at)))
		sentToReadyMs = append(sentToReadyMs, ms(a.sent, at))
	}
	return map[string]any{
		"keys": len(arrivals), "missing": missing, "rate": s.rate,
		"createMs": summary(createMs), "pairMs": summary(pairMs),
		"createdToReadyMs": summary(readyMs), "sentToReadyMs": summary(sentToReadyMs),
	}, nil
}

func ms(from, to time.Time) float64 { return to.Sub(from).Seconds() * 1000 }
