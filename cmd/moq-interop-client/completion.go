package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// completionCmd prints a script for a shell.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh" help:"bash or zsh."`
}

// Help teaches.
func (*completionCmd) Help() string {
	return `Example, for ~/.bashrc (for zsh: ~/.zshrc, and zsh):

  eval "$(moq-interop-client completion bash)"
`
}

// bashCompletion asks the program, so that names are those of the program that is installed.
const bashCompletion = `_moq_interop_client() {
  local answer IFS=$'\n'
  answer="$(moq-interop-client complete -- "${COMP_WORDS[@]:1:COMP_CWORD}")"
  case "$answer" in
    :file) COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")) ;;
    :dir) COMPREPLY=($(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")) ;;
    *) COMPREPLY=($answer) ;;
  esac
}
complete -F _moq_interop_client moq-interop-client
`

// Run prints the script.
func (c *completionCmd) Run(sys *system) error {
	script := bashCompletion
	if c.Shell == "zsh" {
		script = "autoload -U +X bashcompinit && bashcompinit\n" + script
	}
	_, err := fmt.Fprint(sys.stdout, script)
	return err
}

// completeCmd answers the script: it prints what the last of the words may be, a line each, or ":file" or ":dir".
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words, the last one unfinished."`
}

// Run answers.
func (c *completeCmd) Run(sys *system, app *kong.Kong) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, line := range complete(app.Model, words) {
		if _, err := fmt.Fprintln(sys.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// completions give the names that a flag or argument takes whose tag complete is the key.
var completions = map[string]func() []string{
	"cases":      caseNames,
	"gops":       bench.GOPs,
	"codec":      wire.ToleranceNames,
	"faults":     reference.FaultNames,
	"kinds":      requestNames,
	"quirks":     reference.QuirkNames,
	"relays":     func() []string { return []string{"embedded", "https://", "moqt://"} },
	"scenarios":  bench.ScenarioNames,
	"stamps":     func() []string { return []string{"loc", "frindell", "both"} },
	"suites":     cases.Suites,
	"tolerances": cases.ToleranceNames,
	"videos":     bench.VideoProfiles,
	"transports": func() []string { return strings.Split(transportNames(), ", ") },
}

func caseNames() []string {
	names := runner.CaseNames()
	for _, t := range runner.Tags() {
		names = append(names, "tag:"+t)
	}
	for _, r := range runner.RuleNames() {
		names = append(names, "rule:"+r)
	}
	return names
}

// requestNames are the messages that can be answered.
func requestNames() (names []string) {
	for k := wire.KindNone; k < 1<<8-1; k++ {
		if k.Opens() || k == wire.KindRequestUpdate {
			names = append(names, k.String())
		}
	}
	return names
}

// complete gives what the last word may be, going by the words before it.
func complete(app *kong.Application, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	node := app.DefaultCmd // the flags of a test, until a command is named
	top := app.Node        // whose commands can be named here
	last := words[len(words)-1]
	var value *kong.Value // of the flag that waits for one
	place := 0            // of the next argument
	for _, w := range words[:len(words)-1] {
		switch {
		case w == "=": // some shells split --flag=value there
		case value != nil:
			value = nil
		case strings.HasPrefix(w, "-") && w != "-":
			if f := flagOf(node, w); f != nil && !f.IsBool() && !strings.Contains(w, "=") {
				value = f.Value
			}
		default:
			if child := childOf(top, w); child != nil {
				node, top = child, child
			} else {
				place++
			}
		}
	}
	if last == "=" && value != nil {
		last = ""
	}
	switch {
	case value != nil:
		return valuesOf(value, last)
	case strings.HasPrefix(last, "-"):
		if name, text, ok := strings.Cut(last, "="); ok {
			if f := flagOf(node, name); f != nil {
				return prefixed(valuesOf(f.Value, text), name+"=")
			}
			return nil
		}
		return starting(flagNames(node), last)
	}
	var out []string
	for _, c := range top.Children {
		if !c.Hidden && place == 0 {
			out = append(out, c.Name)
		}
	}
	out = starting(out, last)
	if n := len(node.Positional); n > 0 {
		out = append(out, valuesOf(node.Positional[min(place, n-1)], last)...)
	} else if top == app.Node && place == 0 && last == "" {
		out = append(out, flagNames(node)...)
	}
	return out
}

// childOf finds a command below another.
func childOf(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// flagOf finds the flag that a word is: --name, -n or --name=value.
func flagOf(n *kong.Node, word string) *kong.Flag {
	word, _, _ = strings.Cut(word, "=")
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// flagNames are a command's flags.
func flagNames(n *kong.Node) (names []string) {
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			names = append(names, "--"+f.Name)
		}
	}
	return names
}

// valuesOf are the values that a flag or an argument can have and that begin with text, behind the commas in it.
func valuesOf(v *kong.Value, text string) []string {
	var all []string
	if names := completions[v.Tag.Get("complete")]; names != nil {
		all = names()
	} else if v.Enum != "" {
		all = v.EnumSlice()
	} else {
		switch what := placeholder(v); what {
		case "FILE", "RUN", "PLAN", "PART":
			return []string{":file"}
		case "DIR":
			return []string{":dir"}
		case "NN", "NN,…", "A,B":
			all = strings.Split(draftNumbers(wire.Drafts()), ",")
		default:
			return nil
		}
	}
	head, tail := "", text
	if i := strings.LastIndex(text, ","); i >= 0 {
		head, tail = text[:i+1], text[i+1:]
	}
	return prefixed(starting(all, tail), head)
}

// placeholder is what a flag's value, or an argument, is called in help texts.
func placeholder(v *kong.Value) string {
	if v.Tag.PlaceHolder != "" {
		return v.Tag.PlaceHolder
	}
	return strings.ToUpper(v.Name)
}

func starting(words []string, with string) (out []string) {
	for _, w := range words {
		if strings.HasPrefix(w, with) {
			out = append(out, w)
		}
	}
	return out
}

func prefixed(words []string, by string) (out []string) {
	for _, w := range words {
		out = append(out, by+w)
	}
	return out
}
