package txlog

import (
	"context"
	"os"
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	o := options(b.TempDir())
	o.Sync = func(*os.File) error { return nil }
	l, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	r := record("0193f1f8-0000-7000-8000-000000000000")
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Append(context.Background(), r); err != nil {
				b.Error(err)
			}
		}
	})
}
