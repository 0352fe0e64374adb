// Go's net/http with its HTTP/2, on one processor.
//
//	go run server.go PORT CERTIFICATE KEY
package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: server PORT CERTIFICATE KEY")
	}
	runtime.GOMAXPROCS(1)
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("content-type", "text/plain")
		w.Header().Set("content-length", "13")
		io.WriteString(w, "Hello, World!")
	})
	block := bytes.Repeat([]byte("x"), 1<<20)
	http.HandleFunc("/bytes/", func(w http.ResponseWriter, r *http.Request) {
		count, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/bytes/"))
		if err != nil || count < 0 || count > len(block) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("content-length", strconv.Itoa(count))
		w.Write(block[:count])
	})
	http.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		count, _ := io.Copy(io.Discard, r.Body)
		io.WriteString(w, strconv.FormatInt(count, 10))
	})
	http.HandleFunc("/feed", feed)
	log.Fatal(http.ListenAndServeTLS("127.0.0.1:"+os.Args[1], os.Args[2], os.Args[3], nil))
}

// Those who read server-sent events; what is posted goes to all of them.
var (
	lock    sync.Mutex
	readers = map[chan []byte]bool{}
)

func feed(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		message, _ := io.ReadAll(r.Body)
		event := append(append([]byte("data: "), message...), "\n\n"...)
		lock.Lock()
		for reader := range readers {
			select {
			case reader <- event:
			default:
			}
		}
		lock.Unlock()
		w.WriteHeader(http.StatusAccepted)
		return
	}
	events := make(chan []byte, 64)
	w.Header().Set("content-type", "text/event-stream")
	io.WriteString(w, ": welcome\n\n")
	w.(http.Flusher).Flush()
	lock.Lock()
	readers[events] = true
	lock.Unlock()
	defer func() {
		lock.Lock()
		delete(readers, events)
		lock.Unlock()
	}()
	for {
		select {
		case event := <-events:
			w.Write(event)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}
