package tap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

// perlReader reads blocks with the small YAML reader of Perl's TAP tools. Each is two lines of JSON: the block's lines
// and the texts of its list. It prints the numbers of those that it does not read as they are meant.
const perlReader = `
use strict; use warnings; use JSON::PP; use TAP::Parser::YAMLish::Reader;
my ($n, $json) = (0, JSON::PP->new->utf8);
while (defined(my $block = <STDIN>)) {
	my @lines = @{$json->decode($block)};
	my @want = @{$json->decode(scalar <STDIN>)};
	my $got = eval { TAP::Parser::YAMLish::Reader->new->read(sub { shift @lines }) };
	my $bad = $@ || (ref $got ne 'HASH' && 'no mapping') || ($got->{after} ne 'here' && 'nothing behind the list')
		|| (@{$got->{notes}} != @want && 'another number of items');
	if (!$bad) { for my $i (0..$#want) { $bad ||= "item $i is '$got->{notes}[$i]'" if $got->{notes}[$i] ne $want[$i] } }
	print "$n: $bad\n" if $bad;
	$n++;
}
print "read $n\n";
`

// TestPerlReads: Perl's reader gets every block whole, whatever the texts of a list are. It knows no \u and takes what
// is escaped so as it stands, so the texts that are compared are printable.
func TestPerlReads(t *testing.T) {
	if err := exec.Command("perl", "-MTAP::Parser::YAMLish::Reader", "-MJSON::PP", "-e", "1").Run(); err != nil {
		t.Skip("no perl with TAP::Parser and JSON::PP here: ", err)
	}
	var in bytes.Buffer
	blocks := 0
	add := func(notes []string) {
		var b bytes.Buffer
		writeMap(&b, yaml.MapSlice{{Key: "notes", Value: notes}, {Key: "after", Value: "here"}}, 0, 0)
		lines := append([]string{"---"}, strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")...)
		for _, v := range []any{append(lines, "..."), notes} {
			line, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			in.Write(append(line, '\n'))
		}
		blocks++
	}
	for _, text := range []string{
		"relay: says no", "word:", "word :", "a : b", `q"x: y`, `back\slash: x`, "+6ms a -> B: c", "x:y z",
		"'single: x'",
		"b: : c", "- nested: x", "{a: b}", "[a]: b", "~", "|", "> x", "#x: y", "key: ", "a\tb: c",
	} {
		add([]string{text})
		add([]string{"first", text, "last: one"})
	}
	text := rapid.StringOfN(rapid.SampledFrom([]rune(`ab:: "'\-#{}[]|>~,.0`)), 1, 12, -1)
	rapid.Check(t, func(t *rapid.T) { add(rapid.SliceOfN(text, 1, 4).Draw(t, "notes")) })
	cmd := exec.Command("perl", "-e", perlReader)
	cmd.Stdin = &in
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != fmt.Sprintf("read %d\n", blocks) {
		t.Errorf("of %d blocks: %v\n%s", blocks, err, out)
	}
}
