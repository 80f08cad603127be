package load

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// OnTerminal says whether what is written to out is seen on a terminal.
func OnTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Bar shows progress as a bar on a terminal, and nothing anywhere else.
func Bar(out io.Writer) Progress {
	if !OnTerminal(out) {
		return nil
	}
	var mu sync.Mutex
	var bar *progressbar.ProgressBar
	var shown string
	return func(stage string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if bar == nil || shown != stage {
			shown = stage
			bar = progressbar.NewOptions64(total,
				progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(stage),
				progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
		}
		_ = bar.Set64(done) // a bar that cannot be drawn is not worth an error
		if done >= total {
			_ = bar.Finish()
			bar = nil
		}
	}
}
