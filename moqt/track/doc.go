// Package track is whole tracks on sessions of package moqt, and the place to begin.
//
// Published sends the objects of a track to any number of subscribers, with the streams, ends, filters and pauses that
// the drafts demand, and answers FETCH. Subscribed hands out each object of a track once, from the past and live, in
// order if wanted. Join asks for a track live from now on and for its past, in every draft's way. A Pacer hands out
// turns at an even rate.
package track
