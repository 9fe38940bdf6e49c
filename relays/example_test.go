package relays_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/moqinterop/moq-interop-client/relays"
)

func ExampleLoad() {
	list := `
# our relays
moqt://relay.example:4433
https://relay.example:4433/moq   # the same relay over HTTP/3
https://other.example
`
	mine, _, err := relays.Load("relays.txt", strings.NewReader(list))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := relays.WriteTable(os.Stdout, mine); err != nil {
		fmt.Println(err)
	}
	// Output:
	// NAME                ORGANISATION  ROLES  DRAFTS  TRANSPORTS         WHERE
	// relay.example-4433  -             relay  -       auto,webtransport  2 urls
	// other.example       -             relay  -       webtransport       1 url
}

func ExampleMerge() {
	all, err := relays.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	mine, _, err := relays.Load("mine.json", strings.NewReader(`{"format": 1, "implementations": [
		{"name": "imquic", "drafts": ["draft-18"], "roles": ["relay"], "endpoints": [{"url": `+
		`"moqt://imquic.example:9000", "transport": "quic"}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	imquic, _ := relays.Merge(all, mine).Find("imquic")
	fmt.Println(imquic.Endpoints[0].URL, relays.Spoken(imquic.DraftsAt(imquic.Endpoints[0])))
	// Output: moqt://imquic.example:9000 [draft-18]
}
