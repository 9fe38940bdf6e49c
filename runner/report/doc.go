// Package report shows what came of runs of the matrix.
//
// Write writes all forms of a report to a folder. WriteHTML writes one page that needs nothing from elsewhere, with the
// details of each cell in files beside it; WriteMarkdown a job summary, WriteJUnit an XML report, WriteBadges JSON for
// shields. Compare says how two runs differ, CompareDrafts how two drafts within one run do, and ByDraft puts the
// drafts of a relay side by side. Load reads run.json.
//
// All text in a run comes from peers or catalogues, so every form escapes it as hostile text. The package keeps no
// state: its functions are safe for concurrent use.
package report
