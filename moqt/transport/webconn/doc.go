// Package webconn is a browser's own WebTransport as a connection: Dial makes one. It exists for GOOS=js alone.
//
// A browser tells less than a library does, and what it does not tell is left out, not made up: there is no connection
// id, no TLS state and no log, stream ids are numbers of this side's own ([transport.Info].WireStreamIDs is false), and
// why a connection could not be made, or was lost, stands nowhere. A browser also takes what the peer sends before
// anybody reads it ([transport.Info].ReadsAhead is true), and where its codes of RESET_STREAM and STOP_SENDING have one
// octet only, Info.Notes says so.
package webconn
