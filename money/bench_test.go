package money

import "testing"

func BenchmarkAllocate20(b *testing.B) {
	weights, out := make([]int64, 20), make([]int64, 20)
	for i := range weights {
		weights[i] = int64(1990+731*i) * int64(1+i%4)
	}
	for b.Loop() {
		Allocate(2803, weights, out)
	}
}
