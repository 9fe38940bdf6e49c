// Package moq is the front door of Media over QUIC Transport: one import to dial or listen, to publish tracks and to
// read them, in drafts 14 to 22, over raw QUIC and WebTransport.
//
// A subscriber:
//
//	session, err := moq.Dial(ctx, "moqt://relay.example:4443/live", nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer session.Close()
//	clock, err := session.Subscribe(ctx, moq.Namespace{"hall"}, "clock")
//	if err != nil {
//		log.Fatal(err)
//	}
//	for {
//		object, err := clock.Next(ctx)
//		if err != nil {
//			break // io.EOF: the track has ended, and everything has come
//		}
//		fmt.Println(object.Location(), string(object.Payload))
//	}
//
// A publisher:
//
//	session, err := moq.Dial(ctx, "moqt://relay.example:4443/live", nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer session.Close()
//	clock := moq.NewTrack(moq.Namespace{"hall"}, "clock", moq.TrackOptions{})
//	if err := session.Publish(ctx, clock); err != nil {
//		log.Fatal(err)
//	}
//	for group := range uint64(10) {
//		clock.Write(ctx, &moq.Object{GroupID: group, Payload: []byte(time.Now().String())})
//		time.Sleep(time.Second)
//	}
//	clock.End(ctx)
//
// A server that has the track itself needs no relay:
//
//	moq.ListenAndServe(ctx, ":4443", moq.Serve(clock), nil)
//
// The types are those of the packages below, under short names: package track has whole tracks, package moqt sessions
// and requests, package wire the messages. What is not here is reached through Session.Session. The folder examples has
// programs of 30 to 60 lines.
//
// This package alone brings a QUIC library. It reads nothing from the environment, and sets nothing in it. The QUIC
// library writes one line with package log when the system keeps UDP's buffers small, unless the environment has
// QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING=true.
package moq
