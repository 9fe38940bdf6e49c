// Package tap writes TAP 14 and reads whatever other programs print as TAP.
//
// The [Writer] is strict: numbers in order, one plan, every scalar of a YAML block valid YAML, each call one Write.
// [Parse] is the opposite: it goes on after every oddity, notes it as a [Problem], and never lets one of them turn into
// a pass. What it accepts:
//
//   - TAP 13, no version line, pragmas, CRLF, lone CR, a byte order mark, invalid UTF-8;
//   - a plan before or after the points, or none, or one that does not fit;
//   - escape sequences (colours) in any line, log lines between the TAP lines;
//   - a prefix in front of every line: "client-1  | ", a time stamp, or both;
//   - subtests to any sensible depth, with or without "# Subtest:";
//   - YAML closed by "---", by the next TAP line or not at all, and YAML that is
//     not YAML (unquoted values with colons);
//   - lines and documents of any length, in bounded memory.
//
// # What counts as what
//
// A [Summary] has one outcome for each number of the plan. Without a plan the highest number seen stands for it.
//
//   - passed: "ok" without a TODO or SKIP directive;
//   - failed: "not ok" without one;
//   - skipped, todo: the directive decides, whatever "ok" or "not ok" says;
//   - missing: the plan has the number and no point has it;
//   - a number that occurs twice has its worst outcome: failed, todo, skipped, passed;
//   - a number outside the plan counts as unplanned and as nothing else;
//   - a subtest's points count nowhere: the parent's point decides.
//
// A directive is the first unescaped "#" that is followed by TODO or SKIP (any case, more letters may follow) and has
// white space before it or behind it. TAP 14 lets an earlier "#" with other words hide a later directive; here it does
// not, since a skip that is read as a pass is the worse mistake. Words after a "#" that are no directive stay in the
// name, as TAP 14 says.
//
// A [Verdict] is a pass only when at least one point passed, none failed, none is missing or unplanned, there is a
// plan, nobody bailed out, the exit code is 0 (or not known), and no Problem breaks the document. These break it: a
// number that occurs twice, points with and without numbers mixed, a plan that contradicts another or does not begin at
// 1, a point line cut for its length, a version line in the middle, a subtest that ends without its point, TAP lines
// from a second source, a read error, a document over the limit. All other problems are notes.
//
// A bail out counts wherever it stands outside a YAML block, in a subtest and on a line of another source too.
package tap
