package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

func load(s *settings) (any, error) {
	c, err := newClient(s, s.token)
	if err != nil {
		return nil, err
	}
	made := make([]key, s.count)
	start := time.Now()
	err = inParallel(s.count, s.workers, func(i int) (err error) {
		namespace := s.namespaces[i%len(s.namespaces)]
		made[i], err = createKey(c, namespace, fmt.Sprintf("key-%06d", i), s.query)
		return err
	})
	if err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	f, err := os.Create(s.keysFile)
	if err != nil {
		return nil, err
	}
	out := bufio.NewWriter(f)
	for _, k := range made {
		fmt.Fprintln(out, k.namespace, k.name, k.uid, k.version)
	}
	if err := out.Flush(); err != nil {
		return nil, err
	}
	return map[string]any{"keys": s.count, "seconds": seconds}, f.Close()
}

// Runs work(0..count-1) with so many at once; ends early at the first error, which it returns.
func inParallel(count, workers int, work func(int) error) error {
	next := make(chan int)
	failed := make(chan error, workers)
	var all sync.WaitGroup
	for range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range next {
				if err := work(i); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	var err error
	for i := 0; i < count && err == nil; i++ {
		select {
		case next <- i:
		case err = <-failed:
		}
	}
	close(next)
	all.Wait()
	if err == nil && len(failed) > 0 {
		err = <-failed
	}
	return err
}
