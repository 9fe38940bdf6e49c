package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// TestDecodeAndEncodeAsItComes: what is complete is printed while the rest of the input is still to come.
func TestDecodeAndEncodeAsItComes(t *testing.T) {
	hexIn, hexOut := io.Pipe()
	linesIn, linesOut := io.Pipe()
	backIn, backOut := io.Pipe()
	sys := func(in io.Reader, out io.Writer, errs io.Writer) *system {
		return &system{ctx: context.Background(), stdin: in, stdout: out, stderr: errs,
			getenv: func(string) string { return "" }}
	}
	var decodeErr, encodeErr bytes.Buffer
	codes := make(chan int, 2)
	go func() {
		codes <- run([]string{"decode", "--draft", "16", "-"}, sys(hexIn, linesOut, &decodeErr))
		linesOut.Close()
	}()
	seen, copied := io.Pipe()
	go func() {
		codes <- run([]string{"encode", "--draft", "16"}, sys(io.TeeReader(linesIn, copied), backOut, &encodeErr))
		copied.Close()
		backOut.Close()
	}()
	lines, back := bufio.NewScanner(seen), bufio.NewReader(backIn)
	for range 3 {
		if _, err := io.WriteString(hexOut, "15 0001\n05 1"); err != nil { // and the first digit of the next message
			t.Fatal(err)
		}
		if !lines.Scan() || !strings.Contains(lines.Text(), `"max_request_id":"5"`) {
			t.Fatalf("got %q, %v", lines.Text(), lines.Err())
		}
		hex := make([]byte, 8)
		if _, err := io.ReadFull(back, hex); err != nil || string(hex) != "15000105" {
			t.Fatalf("got %q, %v", hex, err)
		}
		if _, err := io.WriteString(hexOut, "5000105 "); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		if _, err := io.ReadFull(back, hex); err != nil {
			t.Fatal(err)
		}
	}
	hexOut.Close()
	if rest, err := io.ReadAll(back); err != nil || string(rest) != "\n" {
		t.Errorf("at the end %q, %v", rest, err)
	}
	for range 2 {
		if code := <-codes; code != 0 {
			t.Errorf("exit code %d: %s%s", code, &decodeErr, &encodeErr)
		}
	}
}

func TestHexReader(t *testing.T) {
	for text, want := range map[string]struct {
		bytes string
		err   string
	}{
		"":              {"", "EOF"},
		" 0a0B\n\t0 c ": {"\x0a\x0b\x0c", "EOF"},
		"0a0":           {"\x0a", "middle of byte 1"},
		"0a 0x0b":       {"\x0a", `character 4 of the input: 'x'`},
		"\x15\x00\x01":  {"\x15\x00\x01", "EOF"}, // as it is
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text),
			"by one": oneByte{strings.NewReader(text)}} {
			h := hexReader{r: r}
			var got []byte
			var err error
			for err == nil {
				var piece []byte
				piece, err = h.next()
				got = append(got, piece...)
			}
			if string(got) != want.bytes || !strings.Contains(err.Error(), want.err) {
				t.Errorf("%q, %s: got %q, %v", text, name, got, err)
			}
		}
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(b []byte) (int, error) { return o.r.Read(b[:min(1, len(b))]) }
