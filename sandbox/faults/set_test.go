package faults

import (
	"slices"
	"testing"
)

func TestArmRefuses(t *testing.T) {
	set := new(Set)
	for _, c := range []struct {
		op    Op
		fault Fault
		count int
	}{
		{Prepay, "explode", 1}, {Prepay, Lost, 1}, {Callback, Slow, 1}, {Pay, Lost, 1},
		{"explode", Slow, 1}, {Download, Unsigned, 1}, {RefundCallback, RefundBeforePayment, 1}, {Prepay, Slow, 0}, {Prepay, Slow, -1},
	} {
		if set.Arm("", c.op, c.fault, c.count, 0) == nil {
			t.Errorf("armed %+v", c)
		}
	}
	arm := func(count int) {
		t.Helper()
		if err := set.Arm("", Prepay, Slow, count, 0); err != nil {
			t.Fatal(err)
		}
	}
	arm(3)
	set.Disarm()
	if len(set.Armed()) != 0 {
		t.Error("not cleared")
	}
	for range maxArmed {
		arm(1)
	}
	if set.Arm("", Prepay, Slow, 1, 0) == nil {
		t.Error("armed without a limit")
	}
}

// Nobody needs to name what a shop comes out of by itself, and nothing else
// is injected unnamed.
func TestChaosLeavesTheNamedOut(t *testing.T) {
	set := new(Set)
	if err := set.Chaos(1, 1); err != nil {
		t.Fatal(err)
	}
	seen := map[Fault]bool{}
	for range 500 {
		for _, op := range []Op{Prepay, Download, Callback, RefundCallback, Bill} {
			seen[set.Take(op, "").Fault] = true
		}
		seen[set.Take(Refund, "", OfRefunds...).Fault] = true
		seen[set.Take(Pay, "").Fault] = true
	}
	if hits := set.TakeAll(Bill, OfBills...); len(hits) != 0 {
		t.Errorf("bills get: %v", hits)
	}
	for _, f := range table {
		if seen[f.Fault] == f.Named {
			t.Errorf("%s: injected %v, named %v", f.Fault, seen[f.Fault], f.Named)
		}
	}
}

// Scripts may use the names of earlier versions.
func TestAliases(t *testing.T) {
	for old, now := range aliases {
		set := new(Set)
		op := table[slices.IndexFunc(table, func(i Info) bool { return i.Fault == now })].Ops[0]
		if err := set.Arm("", op, old, 1, 0); err != nil || set.Armed()[0].Fault != now {
			t.Errorf("%s: %v", old, err)
		}
		if err := set.Chaos(1, 0.5, old); err != nil || set.ChaosState().Faults[0] != now {
			t.Errorf("%s by chance: %v", old, err)
		}
		if known(old) {
			t.Errorf("%s is listed", old)
		}
	}
}

// Every fault says what it does, in both languages, and applies to something.
func TestTable(t *testing.T) {
	for _, f := range table {
		if f.Does == "" || f.DoesZh == "" || len(f.Ops) == 0 {
			t.Errorf("%+v", f)
		}
	}
}
