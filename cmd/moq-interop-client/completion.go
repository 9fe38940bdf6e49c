package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints a script that makes a shell complete flags, commands and the names of cases and faults.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh" help:"bash or zsh."`
}

// Help teaches.
func (*completionCmd) Help() string {
	return `Example, for ~/.bashrc (for zsh: ~/.zshrc, and zsh):

  eval "$(moq-interop-client completion bash)"
`
}

// bashCompletion asks the program for the names, so that they are those of the program that is installed.
const bashCompletion = `_moq_interop_client() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="" names=""
  [ "$COMP_CWORD" -gt 0 ] && prev="${COMP_WORDS[COMP_CWORD-1]}"
  case "$prev" in
    -t|--test) names="$(moq-interop-client -l --suite all)" ;;
    --fault) names="$(moq-interop-client --list-faults | cut -d' ' -f1)" ;;
    --transport) names="quic webtransport auto" ;;
    --suite) names="%s" ;;
    --stream) names="control request uni datagram" ;;
    -r|--relay) names="embedded https:// moqt://" ;;
    -o|--output|--cert|--key|--relays|--expect|--history|report|compare) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --qlog-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    *) names="%s" ;;
  esac
  local head=""
  case "$cur" in *,*) head="${cur%%,*}," ;; esac
  COMPREPLY=($(compgen -P "$head" -W "$names" -- "${cur##*,}"))
}
complete -F _moq_interop_client moq-interop-client
`

// Run prints the script.
func (c *completionCmd) Run(sys *system, app *kong.Kong) error {
	var words []string
	for _, n := range app.Model.Children {
		if !n.Hidden {
			words = append(words, n.Name)
		}
		for _, f := range n.Flags {
			if n == app.Model.DefaultCmd {
				words = append(words, "--"+f.Name)
			}
		}
	}
	if c.Shell == "zsh" {
		if _, err := fmt.Fprintln(sys.stdout, "autoload -U +X bashcompinit && bashcompinit"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(sys.stdout, bashCompletion, strings.ReplaceAll(names["suites"], ",", " "),
		strings.Join(words, " "))
	return err
}
