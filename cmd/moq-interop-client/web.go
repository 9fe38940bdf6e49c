package main

// webCmd is the page that runs cases in a browser.
type webCmd struct {
	Addr string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to serve the page."`
	Out  string `placeholder:"DIR" help:"Write the page there as static files instead."`

	Browser string `enum:",chromium,firefox" default:"" help:"Have it run cases, without a window, and print TAP."`

	Relay   *string  `short:"r" placeholder:"URL" complete:"relays" help:"With --browser: relay to test. [RELAY_URL]"`
	Test    []string `short:"t" sep:"none" placeholder:"NAME,…" complete:"cases" help:"With --browser. [TESTCASE]"`
	Suite   string   `enum:"${suites}" default:"standard" help:"With --browser: what to run without -t: ${suites}."`
	Draft   *string  `short:"d" placeholder:"NN,…" help:"With --browser: drafts to offer. [MOQT_DRAFT, DRAFT]"`
	Verify  *bool    `name:"tls-disable-verify" help:"With --browser: accept any certificate. [TLS_DISABLE_VERIFY=1]"`
	Prefix  *string  `name:"namespace-prefix" placeholder:"A/B" help:"With --browser. [NAMESPACE_PREFIX]"`
	Token   *string  `name:"auth-token" placeholder:"T" help:"With --browser. [AUTH_TOKEN]"`
	Compat  []string `sep:"none" placeholder:"NAME,…" complete:"tolerances" help:"With --browser. [COMPAT]"`
	Strict  bool     `help:"With --browser: a broken SHOULD fails the run."`
	Factor  float64  `name:"timeout-factor" default:"1" placeholder:"F" help:"With --browser: stretch every limit."`
	Jobs    int      `short:"j" default:"1" placeholder:"N" help:"With --browser: run N cases at a time."`
	Output  *string  `short:"o" type:"string" placeholder:"FILE" help:"With --browser: write the results as JSON, too."`
	Figures bool     `help:"With --browser: say on stderr how quick the page was, and how large."`
}

// Help teaches.
func (*webCmd) Help() string {
	return `Serves a page on which the cases run in a browser, over the browser's own WebTransport. It sends nothing
anywhere but to the relay that is tested. The page's program is inside a release's binary; a binary from source builds
it with the Go toolchain, in a checkout of the project, and keeps it in the cache.

With --out the page is a folder of files that any web server can serve, as long as it does so over https:// or on
localhost: elsewhere browsers keep WebTransport back.

With --browser nothing is served to people: a Chromium or Firefox that is installed here runs the cases without a
window, and TAP comes out as from the cases' own command, with the same exit codes. It tests https:// relays, and
"embedded", which is then the relay in the page. --tls-disable-verify fetches the relay's certificate first and tells
the browser its hash.

Examples:

  moq-interop-client web
  moq-interop-client web --out public
  moq-interop-client web --browser chromium -r https://127.0.0.1:4443 --tls-disable-verify -d 18
`
}
