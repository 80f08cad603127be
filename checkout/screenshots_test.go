package checkout_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "write the documents' pictures to this `folder`")

// maxPicture keeps the documents light.
const maxPicture = 200 << 10

// TestScreenshots makes the pictures of the documents:
//
//	go test ./checkout -run TestScreenshots -screenshots ../docs/screenshots
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots names the folder")
	}
	s := serve(t, "")
	for _, lang := range []string{"zh-CN", "en"} {
		name := lang[:2]
		for _, screen := range []struct {
			name          string
			width, height int64
			scale         float64
		}{{"desktop", 1240, 960, 1}, {"phone", 390, 844, 1.5}} {
			p := newTab(t)
			p.run(chromedp.EmulateViewport(screen.width, screen.height, chromedp.EmulateScale(screen.scale)), stillPictures)
			p.fill(s.url, lang)
			p.js(`scrollTo(0, 0)`, nil)
			p.shoot(screen.name + "-shop-" + name)
			if screen.name == "phone" {
				p.js(`document.querySelector('.cart').scrollIntoView()`, nil)
				p.shoot(screen.name + "-price-" + name)
			}
			p.press("#buy")
			p.placed()
			p.until(`transport.textContent === 'WebSocket' && document.querySelectorAll('#events > li').length === 3`)
			p.shoot(screen.name + "-pay-" + name)
			phone := p.phone(s.url)
			phone.tap("#pay")
			p.until(`paying.dataset.status === 'paid' && document.querySelectorAll('#events > li').length >= 5`)
			p.shoot(screen.name + "-paid-" + name)
		}
	}
}

// stillPictures has the page show no movement, so that two runs look alike.
var stillPictures = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	return err
})

func (p *tab) shoot(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		p.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, reduced(picture)); err != nil {
		p.t.Fatal(err)
	}
	if small.Len() > maxPicture {
		p.t.Errorf("%s has %d bytes; at most %d", name, small.Len(), maxPicture)
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), small.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// reduced paints a picture with 256 colours, the most frequent ones: the page
// is flat, so that only shadows lose a little, and the file has a third of
// its size.
func reduced(from image.Image) image.Image {
	type bucket struct{ r, g, b, n uint32 }
	buckets := map[[3]uint8]*bucket{}
	of := func(x, y int) [3]uint8 {
		r, g, b, _ := from.At(x, y).RGBA()
		return [3]uint8{uint8(r >> 10), uint8(g >> 10), uint8(b >> 10)} // six bits each
	}
	bounds := from.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			at := of(x, y)
			if buckets[at] == nil {
				buckets[at] = &bucket{}
			}
			r, g, b, _ := from.At(x, y).RGBA()
			k := buckets[at]
			k.r, k.g, k.b, k.n = k.r+r>>8, k.g+g>>8, k.b+b>>8, k.n+1
		}
	}
	all := slices.SortedFunc(maps.Values(buckets), func(a, b *bucket) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.r, b.r), cmp.Compare(a.g, b.g))
	})
	var palette color.Palette
	for _, k := range all[:min(256, len(all))] {
		palette = append(palette, color.RGBA{uint8(k.r / k.n), uint8(k.g / k.n), uint8(k.b / k.n), 255})
	}
	to := image.NewPaletted(bounds, palette)
	nearest := map[[3]uint8]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			at := of(x, y)
			index, ok := nearest[at]
			if !ok {
				index = uint8(palette.Index(from.At(x, y)))
				nearest[at] = index
			}
			to.SetColorIndex(x, y, index)
		}
	}
	return to
}
