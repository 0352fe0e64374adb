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
	log.Fatal(http.ListenAndServeTLS("127.0.0.1:"+os.Args[1], os.Args[2], os.Args[3], nil))
}
