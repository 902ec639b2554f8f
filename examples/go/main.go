// A web server, a library from the module proxy, and nothing else.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"

	"github.com/google/uuid"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello from %s, request %s\n", runtime.Version(), uuid.New())
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
