package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-pay/tandem/api"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/channel/kinds"
)

//go:generate go test -run TestDocument -update .
var update = flag.Bool("update", false, "write openapi.json anew")

// TestDocument keeps the published document in the repository, so that every
// change of the contract shows in review.
func TestDocument(t *testing.T) {
	h := api.New(bare)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile("openapi.json", pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(pretty.String(), "\n")); diff != "" {
		t.Errorf("openapi.json is not what the server publishes; go generate ./api writes it anew\n%s", diff)
	}
}

// bare is enough to publish the whole document and to refuse.
var bare = api.Options{
	App:          &app.App{},
	Book:         &app.ChannelBook{Kinds: kinds.All(kinds.Options{Now: time.Now})},
	AdvanceClock: func(context.Context, time.Duration) (time.Time, error) { return time.Time{}, nil },
	Document:     api.DocumentPush,
	Version:      "golden",
}
