// Package track publishes and reads whole tracks on sessions of package moqt. Package moq has short
// names for most of it.
//
// Published sends the objects of a track to any number of subscribers, with the streams, ends, filters and pauses that
// the drafts demand, and answers FETCH. Subscribed hands out each object of a track once, whether published before or
// live, in order if wanted. Join asks for the live part of a track and for its past, in the way of the session's draft.
// A Pacer keeps writes at an even rate.
package track
