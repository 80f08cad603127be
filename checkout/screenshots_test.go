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
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
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

// reduced paints a picture with 256 colours: first the most frequent one, then
// always the one whose pixels are painted worst. The page is flat, so that
// only shadows lose a little, and the file has a third of its size.
func reduced(from image.Image) image.Image {
	type shade struct {
		color.RGBA
		pixels, off int
		nearest     uint8
	}
	found := map[color.RGBA]*shade{}
	bounds := from.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			if found[c] == nil {
				found[c] = &shade{RGBA: c, off: 3 * 255 * 255}
			}
			found[c].pixels++
		}
	}
	shades := slices.SortedFunc(maps.Values(found), func(a, b *shade) int {
		return cmp.Or(cmp.Compare(b.pixels, a.pixels), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for len(palette) < 256 {
		worst := slices.MaxFunc(shades, func(a, b *shade) int { return cmp.Compare(a.pixels*a.off, b.pixels*b.off) })
		if worst.off == 0 {
			break
		}
		for _, s := range shades {
			r, g, b := int(s.R)-int(worst.R), int(s.G)-int(worst.G), int(s.B)-int(worst.B)
			if off := r*r + g*g + b*b; off < s.off {
				s.off, s.nearest = off, uint8(len(palette))
			}
		}
		palette = append(palette, worst.RGBA)
	}
	to := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			to.SetColorIndex(x, y, found[at(x, y)].nearest)
		}
	}
	return to
}
