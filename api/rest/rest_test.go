package rest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tandem-pay/tandem/api/rest"
	"github.com/tandem-pay/tandem/fault"
)

// The service of these tests keeps notes: nothing that Tandem knows of.

type noteView struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Size int64  `json:"size"`
}

type newNoteBody struct {
	Text string           `json:"text" minLength:"1" maxLength:"20"`
	Size int64            `json:"size,omitempty" minimum:"0" maximum:"9"`
	Tags []string         `json:"tags,omitempty" maxItems:"2"`
	More map[string]int64 `json:"more,omitempty"`
}

type plainBody struct {
	Text  string  `json:"text" minLength:"1" maxLength:"20"`
	Sizes []int64 `json:"sizes,omitempty" maxItems:"3"`
	Draft bool    `json:"draft,omitempty"`
	rest.Unread
}

func (b *plainBody) ReadPlain(p *rest.Plain) bool {
	ok := p.Object(func(name string) (ok bool) {
		switch name {
		case "text":
			b.Text, ok = p.String(20)
		case "sizes":
			b.Sizes = []int64{}
			ok = p.List(3, func() bool {
				n, ok := p.Number()
				b.Sizes = append(b.Sizes, n)
				return ok
			})
		case "draft":
			b.Draft, ok = p.Bool()
		}
		return ok
	})
	return ok && b.Text != ""
}

type service struct {
	*rest.API
	log      bytes.Buffer
	observed []string
	fail     error         // of every operation
	slow     time.Duration // how long every operation takes
	panics   bool
	ip       string // of the last caller
}

type tracer struct{}

type traceKey struct{}

func (tracer) Start(ctx context.Context, _, parent string) (context.Context, func(error)) {
	return context.WithValue(ctx, traceKey{}, parent), func(error) {}
}

func (tracer) TraceID(ctx context.Context) string {
	parent, _ := ctx.Value(traceKey{}).(string)
	return parent
}

// notes makes the service.
func notes(tweaks ...func(*rest.Options)) *service {
	s := &service{}
	o := rest.Options{
		Title: "Notes", Version: "1", Realm: "notes", Titles: map[fault.Code]string{fault.Conflict: "The ink is used up"},
		Security: map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer"}},
		Access: &rest.Access{Schemes: []string{"key"}, Allow: func(caller any) error {
			if caller == "reader" {
				return fault.New(fault.Forbidden, "readers may not")
			}
			return nil
		}},
		Authenticate: func(_ context.Context, c *rest.Call, token string) error {
			if token != "writer" && token != "reader" {
				return fault.New(fault.Unauthorized, "who are you?")
			}
			c.Caller = token
			c.Note("who", token)
			return nil
		},
		Log:     slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		LogPath: []string{"id"}, Tracer: tracer{},
		Observe: func(route string, status int, _ time.Duration) {
			s.observed = append(s.observed, fmt.Sprint(route, " ", status))
		},
	}
	for _, tweak := range tweaks {
		tweak(&o)
	}
	s.API = rest.New(o)
	do := func(ctx context.Context) error {
		s.ip = rest.CallOf(ctx).ClientIP()
		time.Sleep(s.slow)
		if s.panics {
			panic("hunter2")
		}
		return s.fail
	}
	rest.Add(s.API, rest.Operation{Route: "POST /notes", ID: "write", Tag: "Notes", Summary: "Write", Status: 201, Codes: []fault.Code{fault.Conflict}},
		func(ctx context.Context, in *struct {
			rest.KeyRequired
			Body newNoteBody
		}) (*rest.Repeatable[noteView], error) {
			return rest.RepeatableOf(rest.Itself[noteView])(noteView{"1", in.Body.Text, in.Body.Size}, in.IdempotencyKey == "again", do(ctx))
		})
	rest.Add(s.API, rest.Operation{Route: "POST /plain", ID: "plain", Tag: "Notes", Summary: "Write plainly"},
		func(ctx context.Context, in *struct {
			rest.KeyAccepted
			Body plainBody
		}) (*rest.Answer[noteView], error) {
			return rest.AnswerOf(rest.Itself[noteView])(noteView{"1", in.Body.Text, int64(len(in.Body.Sizes))}, do(ctx))
		})
	rest.Add(s.API, rest.Operation{Route: "GET /notes/{id}", ID: "read", Tag: "Notes", Summary: "Read", Access: rest.Anyone},
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
			rest.IfNoneMatch
		}) (*rest.Tagged[noteView], error) {
			return rest.TaggedOf(in.IfNoneMatch, rest.Itself[noteView])(noteView{in.ID, "text", 1}, do(ctx))
		})
	rest.Add(s.API, rest.Operation{Route: "GET /notes", ID: "list", Tag: "Notes", Summary: "List"},
		func(ctx context.Context, in *struct{ rest.PageParams }) (*rest.Answer[rest.List[noteView]], error) {
			return rest.ListOf(rest.Itself[noteView])(make([]noteView, in.Limit)[:1], in.Cursor+"+", do(ctx))
		})
	s.Publish()
	return s
}

// do sends a request of the writer's; a header without a value is taken away.
func (s *service) do(call, body string, headers ...string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(call, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, line := range append([]string{"Authorization: Bearer writer", "Idempotency-Key: first"}, headers...) {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.Mux.ServeHTTP(w, r)
	return w
}

// TestAnswers: one line, one request, with what its answer contains.
func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", rest.MaxBody)
	s := notes()
	for _, tt := range []struct {
		name, call, body, header string
		status                   int
		want                     string // in the body or the headers
	}{
		{"taken", "POST /notes", `{"text":"a","size":9}`, "", 201, `{"id":"1","text":"a","size":9}`},
		{"repeated", "POST /notes", `{"text":"a"}`, "Idempotency-Key: again", 201, `Idempotent-Replayed:[true]`},
		{"no content type", "POST /notes", `{"text":"a"}`, "Content-Type", 201, `"text":"a"`},
		{"JSON of a kind", "POST /notes", `{"text":"a"}`, "Content-Type: application/merge-patch+json; charset=utf-8", 201, `"text":"a"`},
		{"a list", "GET /notes?cursor=c", ``, "", 200, `{"items":[{"id":"","text":"","size":0}],"nextCursor":"c+"}`},

		{"no key", "POST /notes", `{"text":"a"}`, "Idempotency-Key", 400, `"code":"idempotency_key_required"`},
		{"no key and no body", "POST /notes", `{}`, "Idempotency-Key", 400, `"code":"idempotency_key_required"`},
		{"a key with a blank", "POST /notes", `{"text":"a"}`, "Idempotency-Key: a b", 400, `"pointer":"Idempotency-Key"`},
		{"nobody", "POST /notes", `{"text":"a"}`, "Authorization", 401, `Www-Authenticate:[Bearer realm="notes"]`},
		{"another scheme", "POST /notes", `{"text":"a"}`, "Authorization: Basic writer", 401, `"code":"unauthorized"`},
		{"a stranger", "POST /notes", `{"text":"a"}`, "Authorization: Bearer stranger", 401, `"title":"There is no key or token, or it is unknown"`},
		{"a reader", "POST /notes", `{"text":"a"}`, "Authorization: Bearer reader", 403, `"code":"forbidden"`},
		{"anyone", "GET /notes/7", ``, "Authorization", 200, `"id":"7"`},

		{"a form", "POST /notes", `text=a`, "Content-Type: application/x-www-form-urlencoded", 415, `"code":"unsupported_media_type"`},
		{"too large", "POST /notes", long + "x", "", 413, `"code":"body_too_large"`},
		{"nothing", "POST /notes", ``, "", 400, `"code":"validation_failed"`},
		{"half of it", "POST /notes", `{"text":`, "", 400, `the body is not JSON`},
		{"too deep", "POST /notes", strings.Repeat("[", 100_000), "", 400, `"code":"validation_failed"`},
		{"not UTF-8", "POST /notes", "{\"text\":\"\xff\"}", "", 400, `the body is not UTF-8`},
		{"U+0000", "POST /notes", `{"text":"\u0000"}`, "", 400, `U+0000`},
		{"an escaped backslash", "POST /notes", `{"text":"\\u0000"}`, "", 201, `"text":"\\u0000"`},
		{"unknown", "POST /notes", `{"text":"a","color":1}`, "", 400, `"code":"unknown_field"`},
		{"another case", "POST /notes", `{"TEXT":"a"}`, "", 400, `"code":"unknown_field"`},
		{"missing", "POST /notes", `{}`, "", 400, `[{"pointer":"/text","message":"is required"}]`},
		{"a fraction", "POST /notes", `{"text":"a","size":1.5}`, "", 400, `"pointer":"/size"`},
		{"1.0", "POST /notes", `{"text":"a","size":1.0}`, "", 400, `must be a whole number`},
		{"beyond 64 bits", "POST /notes", `{"text":"a","more":{"a/b":9223372036854775808}}`, "", 400, `"pointer":"/more/a~1b"`},
		{"two at once", "POST /notes", `{"text":"","size":10}`, "", 400, `2 fields are at fault`},
		{"in a list", "POST /notes", `{"text":"a","tags":["b",1]}`, "", 400, `"pointer":"/tags/1"`},

		{"plain", "POST /plain", `{"text":"a","sizes":[1,2],"draft":true}`, "", 200, `{"id":"1","text":"a","size":2}`},
		{"not plain", "POST /plain", `{"text":"茶","sizes":[1]}`, "", 200, `{"id":"1","text":"茶","size":1}`},
		{"not plain and wrong", "POST /plain", `{"text":"a","sizes":[1,2,3,4]}`, "", 400, `"pointer":"/sizes"`},
		{"not plain and unknown", "POST /plain", `{"text":"a","x":1}`, "", 400, `"code":"unknown_field"`},
		{"not plain and mistyped", "POST /plain", `{"text":"a","sizes":[1.0]}`, "", 400, `"pointer":"/sizes/0"`},
		{"not plain and not UTF-8", "POST /plain", "{\"text\":\"\xff\"}", "", 400, `the body is not UTF-8`},

		{"an unknown parameter", "GET /notes?limt=1", ``, "", 400, `[{"pointer":"limt","message":"there is no such query parameter"}]`},
		{"a limit of 0", "GET /notes?limit=0", ``, "", 400, `"pointer":"limit"`},
		{"a cursor that is not UTF-8", "GET /notes?cursor=%ff", ``, "", 400, `must be UTF-8`},
		{"a cursor with U+0000", "GET /notes?cursor=%00", ``, "", 400, `without U+0000`},
		{"a broken query", "GET /notes?cursor=%zz", ``, "", 400, `not well encoded`},
		{"another method", "PATCH /notes", ``, "", 405, `Allow:[GET, POST]`},
		{"another path", "GET /nowhere", ``, "", 404, `"code":"not_found"`},

		{"the document", "GET /openapi.json", ``, "", 200, "`conflict`: The ink is used up"},
		{"its pages", "GET /docs/", ``, "", 200, `/docs/swagger-ui.css`},
		{"a problem of the service", "GET /problems/conflict", ``, "", 200, "The ink is used up.\nIts status is 409 Conflict"},
		{"a problem of HTTP", "GET /problems/request_timeout", ``, "", 200, "Its status is 408 Request Timeout"},
		{"no problem", "GET /problems/none", ``, "", 404, "no such problem"},
	} {
		w := s.do(tt.call, tt.body, tt.header)
		got := w.Body.String() + fmt.Sprint(w.Header())
		if w.Code != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %d %s, want %d with %s", tt.name, w.Code, got, tt.status, tt.want)
		}
		var p rest.Problem
		if problem := w.Header().Get("Content-Type") == "application/problem+json"; problem != (w.Code >= 400 && tt.name != "no problem") {
			t.Errorf("%s: content type %s", tt.name, w.Header().Get("Content-Type"))
		} else if problem && (json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Status != w.Code || p.TraceID == "" || p.Title == "" || p.Type != "/problems/"+p.Code) {
			t.Errorf("%s: %s", tt.name, w.Body)
		}
	}
}

// TestErrors: what breaks inside is a problem that reveals nothing, and a line
// of the log that has it all, under the same trace id.
func TestErrors(t *testing.T) {
	const secret = "password is hunter2"
	for _, tt := range []struct {
		name   string
		fail   error
		panics bool
		cause  bool // which the log has
		status int
		level  string
		want   string
	}{
		{"a refusal", fault.New(fault.Conflict, "taken").Because(errors.New(secret)), false, true, 409, "INFO", `"detail":"taken"`},
		{"come back later", &fault.Error{Code: fault.RateLimited, RetryAfter: 1500 * time.Millisecond}, false, false, 429, "INFO", "Retry-After:[2]"},
		{"not available", fault.New(fault.Unavailable, "away").Because(errors.New(secret)), false, true, 503, "WARN", "Retry-After:[1]"},
		{"an error", errors.New(secret), false, true, 500, "ERROR", `"code":"internal"`},
		{"a panic", nil, true, true, 500, "ERROR", `"code":"internal"`},
	} {
		s := notes()
		s.fail, s.panics = tt.fail, tt.panics
		w := s.do("GET /notes/7", "", "Traceparent: trace-1")
		got := w.Body.String() + fmt.Sprint(w.Header())
		if w.Code != tt.status || !strings.Contains(got, tt.want) || strings.Contains(got, "hunter2") || !strings.Contains(got, `"traceId":"trace-1"`) {
			t.Errorf("%s: %d %s", tt.name, w.Code, got)
		}
		log := s.log.String()
		if strings.Count(log, "\n") != 1 || !strings.Contains(log, `"level":"`+tt.level+`"`) || !strings.Contains(log, `"id":"7"`) ||
			tt.cause && !strings.Contains(log, "hunter2") {
			t.Errorf("%s: %s", tt.name, log)
		}
		if want := []string{fmt.Sprint("GET /notes/{id} ", tt.status)}; !reflect.DeepEqual(s.observed, want) {
			t.Errorf("%s: observed %v", tt.name, s.observed)
		}
	}
}

// TestLog: a request is one line with its notes, and never a token or a body.
func TestLog(t *testing.T) {
	s := notes(func(o *rest.Options) { o.Tracer = nil })
	s.do("POST /notes", `{"text":"hunter2","size":99}`)
	s.do("POST /notes", `{"text":"hunter2"}`, "Authorization: Bearer hunter2")
	s.do("GET /nowhere?hunter2", ``)
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	if len(lines) != 3 || strings.Contains(s.log.String(), "hunter2") {
		t.Fatalf("%s", s.log.String())
	}
	for i, want := range [][]string{
		{`"route":"POST /notes"`, `"status":400`, `"who":"writer"`, `"code":"validation_failed"`, `"traceId":"`},
		{`"status":401`, `"code":"unauthorized"`},
		{`"route":"unmatched"`, `"status":404`},
	} {
		for _, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("no %s in %s", part, lines[i])
			}
		}
	}
}

// TestConditional: a read whose ETag the caller has is answered 304, and
// versions are read from the tags of IfMatch.
func TestConditional(t *testing.T) {
	s := notes()
	tag := s.do("GET /notes/7", "").Header().Get("ETag")
	for header, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"a", ` + tag: 304, "*": 304, `"a"`: 200, "": 200, strings.Trim(tag, `"`): 200,
	} {
		if w := s.do("GET /notes/7", "", "If-None-Match: "+header); w.Code != status || (status == 304) != (w.Body.Len() == 0) {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
	document := s.do("GET /openapi.json", "").Header().Get("ETag")
	if w := s.do("GET /openapi.json", "", "If-None-Match: "+document); w.Code != 304 {
		t.Errorf("the document: %d", w.Code)
	}
	for header, want := range map[string][]int64{
		"": nil, "*": nil, `"1", *`: nil, `"3"`: {3}, `W/"3", "5"`: {3, 5}, `3`: {}, `"x"`: {}, `"99999999999999999999"`: {},
	} {
		if got := (rest.IfMatch{IfMatch: header}).Versions(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", header, got, want)
		}
	}
}

// TestWait: a long poll waits as long as requested, at most MaxWait.
func TestWait(t *testing.T) {
	for s, want := range map[string]time.Duration{"": 0, "0s": 0, "30s": 30 * time.Second, "1h": rest.MaxWait, "-1s": -1, "30": -1, "soon": -1} {
		if got, err := rest.ParseWait(s); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
}

// TestClientIP: the address is the connection's, or what a trusted proxy saw.
func TestClientIP(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trust   bool
		forward string
		want    string
	}{
		{"direct", false, "", "192.0.2.1"},
		{"forged", false, "8.8.8.8", "192.0.2.1"},
		{"proxy", true, "8.8.8.8, 203.0.113.9", "203.0.113.9"},
		{"proxy, two lines", true, "8.8.8.8\n203.0.113.9", "203.0.113.9"},
		{"proxy, IPv6", true, "2001:db8::7", "2001:db8::7"},
		{"proxy without an address", true, "", "192.0.2.1"},
		{"proxy with nonsense", true, "unknown", "192.0.2.1"},
	} {
		s := notes(func(o *rest.Options) { o.TrustProxy = tt.trust })
		r := httptest.NewRequest("GET", "/notes/7", nil)
		r.Header["X-Forwarded-For"] = strings.Split(tt.forward, "\n")
		s.Mux.ServeHTTP(httptest.NewRecorder(), r)
		if s.ip != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, s.ip, tt.want)
		}
	}
}

// TestSlow, on real connections: a body has its time to arrive, and the time
// that an operation takes does not count.
func TestSlow(t *testing.T) {
	s := notes(func(o *rest.Options) { o.BodyTime = 50 * time.Millisecond })
	server := httptest.NewServer(s.Mux)
	defer server.Close()

	s.slow = 150 * time.Millisecond
	r, err := http.NewRequest(http.MethodPost, server.URL+"/notes", strings.NewReader(`{"text":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer writer")
	r.Header.Set("Idempotency-Key", "first")
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Errorf("a slow operation: %d", res.StatusCode)
	}

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("POST /notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer writer\r\nContent-Length: 100\r\n\r\n{\"text\":")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	res, err = http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("a slow body: %d", res.StatusCode)
	}
}

// TestDocument: schemas are named after their types, and an operation lists
// its refusals and who may call it.
func TestDocument(t *testing.T) {
	d := notes().OpenAPI()
	for _, name := range []string{"Note", "NoteList", "Plain", "Problem", "ProblemField"} {
		if d.Components.Schemas.Map()[name] == nil {
			t.Errorf("no schema %s in %v", name, d.Components.Schemas.Map())
		}
	}
	if public := d.Paths["/notes/{id}"].Get; len(public.Security) != 0 || public.Responses["401"] != nil {
		t.Errorf("the public read: %v", public.Security)
	}
	if closed := d.Paths["/notes"].Get; len(closed.Security) != 1 || closed.Responses["401"] == nil {
		t.Errorf("the list: %v", closed.Security)
	}
	if got := rest.Enum([]string{"a", "b", "a"}).Enum; !reflect.DeepEqual(got, []any{"a", "b"}) {
		t.Errorf("%v", got)
	}
}

// TestDecodeNonNull: null is refused by name, and the errors of members have
// their pointers.
func TestDecodeNonNull(t *testing.T) {
	for body, want := range map[string]string{
		`{"text":"a","size":1}`:     "",
		`{"text":null}`:             "/text",
		`{"a~b/c":null}`:            "/a~0b~1c",
		`{"text":"a","size":"big"}`: "/size",
	} {
		err := rest.DecodeNonNull([]byte(body), new(newNoteBody))
		e, ok := errors.AsType[rest.FieldError](err)
		if ok != (want != "") || e.Pointer != want {
			t.Errorf("%s: %q, want %q", body, e.Pointer, want)
		}
	}
	if err := rest.DecodeNonNull([]byte(`[]`), new(newNoteBody)); err == nil {
		t.Error("a list is taken for an object")
	}
}
