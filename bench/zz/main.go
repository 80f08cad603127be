package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/tandem-pay/tandem/app"
	"github.com/tandem-pay/tandem/bench/load"
	"github.com/tandem-pay/tandem/internal/pgtest"
	"github.com/tandem-pay/tandem/sandbox"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	bins := flag.String("bins", "", "binaries, comma")
	n := flag.Int64("n", 10000, "")
	runs := flag.Int("runs", 1, "")
	prof := flag.String("prof", "", "prefix")
	hold := flag.String("hold", "", "")
	perf := flag.String("perf", "", "")
	stats := flag.Bool("stats", false, "")
	dbg := flag.String("dbg", "127.0.0.1:39417", "")
	clients := flag.Int("clients", 256, "")
	flag.Parse()
	ctx := context.Background()
	conf := map[string]string{}
	if *stats {
		conf["shared_preload_libraries"] = "pg_stat_statements"
		conf["track_io_timing"] = "on"
	}
	pg, err := pgtest.Start(pgtest.Options{Fsync: true, Config: conf})
	must(err)
	defer pg.Stop()
	keys, err := sandbox.GenerateKeys(rand.Reader, time.Now())
	must(err)
	key := app.SecretPrefix + rand.Text()
	master := base64.StdEncoding.EncodeToString([]byte((rand.Text() + rand.Text())[:32]))
	dir, _ := os.MkdirTemp("", "zz")
	defer os.RemoveAll(dir)
	for r := range *runs {
		for _, bin := range strings.Split(*bins, ",") {
			url, drop, err := pg.CreateEmpty(ctx)
			must(err)
			args := []string{"serve", "--listen", "127.0.0.1:0", "--data", dir, "--master-key", master, "--api-key", key,
				"--no-demo", "--no-sandbox", "--bench-channel", "--log-level", "warn", "--db", url}
			if *prof != "" {
				args = append(args, "--debug-listen", *dbg)
			}
			p, err := load.Start(ctx, bin, args...)
			must(err)
			t, err := load.NewTarget(p.URL, key)
			must(err)
			t.Watch = []load.Watched{{Name: "server", PID: p.PID()}, {Name: "pg", PID: pg.PID()}}
			must(load.PutChannel(ctx, t, load.BenchChannel, load.ChannelSettings(keys, load.BenchChannel)))
			s, err := load.Prepare(ctx, t, load.Wanted{Skus: 1000, Users: true}, nil)
			must(err)
			conn, err := pgx.Connect(ctx, url)
			must(err)
			conn.Exec(ctx, "VACUUM ANALYZE")
			conn.Exec(ctx, "CHECKPOINT")
			var lsn0 string
			seen := map[string]bool{}
			stmts := func(what string) {
				if !*stats {
					return
				}
				rows, err := conn.Query(ctx, "select left(regexp_replace(query,'\\s+',' ','g'),90), calls, rows, total_exec_time, total_plan_time, wal_bytes, wal_fpi, wal_records, shared_blks_hit, shared_blks_dirtied from pg_stat_statements order by total_exec_time desc limit 24")
				must(err)
				fmt.Println("==", what)
				for rows.Next() {
					v, _ := rows.Values()
					fmt.Println(v...)
				}
			}
			progress := func(stage string, done, total int64) {
				if seen[stage] {
					return
				}
				seen[stage] = true
				if stage == "settle" {
					if *stats {
						conn.Exec(ctx, "create extension if not exists pg_stat_statements")
						conn.Exec(ctx, "select pg_stat_statements_reset()")
					}
					must(conn.QueryRow(ctx, "select pg_current_wal_lsn()").Scan(&lsn0))
				}
				if stage == "repeat" {
					stmts("settle")
					var b float64
					must(conn.QueryRow(ctx, "select pg_current_wal_lsn() - $1::pg_lsn", lsn0).Scan(&b))
					fmt.Printf("WAL a callback: %.0f bytes\n", b/float64(*n))
					if *stats {
						conn.Exec(ctx, "select pg_stat_statements_reset()")
					}
				}
				if *perf != "" && (stage == "settle" || stage == "repeat") {
					go exec.Command("perf", "record", "-a", "-F", "999", "-o", *perf+"."+stage, "--", "sleep", "4").Run()
				}
				if *prof != "" && (stage == "settle" || stage == "repeat") {
					go func() {
						resp, err := http.Get("http://" + *dbg + "/debug/pprof/profile?seconds=6")
						must(err)
						b, _ := io.ReadAll(resp.Body)
						os.WriteFile(*prof+"."+stage, b, 0o644)
					}()
				}
			}
			var rep *load.Report
			rep, err = load.Callbacks(ctx, t, s, keys, *n, load.Pace{Clients: *clients}, progress)
			must(err)
			stmts("repeat")
			fmt.Printf("run %d %s alone %.0f/s\n", r, bin, rep.Alone)
			for _, st := range rep.Stages {
				sum := 0.0
				for _, c := range st.CPU {
					sum += c.Each
				}
				fmt.Printf("  %-7s %6.0f/s p50 %.1f  sum %.0f µs: %s\n", st.Name, st.Rate, st.Latency.P50, sum, st.Costs())
			}
			var a, b, c, d float64
			conn.QueryRow(ctx, "select avg(octet_length(header::text)), avg(octet_length(body)), avg(pg_column_size(x.*)), avg(pg_column_size(body)) from exchanges x where kind='callback'").Scan(&a, &b, &c, &d)
			var h string
			conn.QueryRow(ctx, "select header::text from exchanges x where kind='callback' limit 1").Scan(&h)
			var e, o, pm float64
			conn.QueryRow(ctx, "select (select avg(octet_length(body::text)) from events where ending), (select avg(octet_length(snapshot::text)) from orders), (select avg(octet_length(detail::text)) from payments)").Scan(&e, &o, &pm)
			if *stats {
				fmt.Println("header", a, "body", b, "row", c, "body stored", d, "ending event", e, "snapshot", o, "detail", pm, h)
			}
			if *stats {
				rows, _ := conn.Query(ctx, "select relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, pg_table_size(relid)/1024, pg_indexes_size(relid)/1024 from pg_stat_user_tables where n_tup_ins>0 order by 1")
				for rows.Next() {
					v, _ := rows.Values()
					fmt.Println(v...)
				}
			}
			if *hold != "" {
				os.WriteFile(*hold, []byte(url), 0o644)
				for {
					if _, err := os.Stat(*hold); err != nil {
						break
					}
					time.Sleep(time.Second)
				}
			}
			conn.Close(ctx)
			must(p.Stop())
			must(drop())
		}
	}
}
