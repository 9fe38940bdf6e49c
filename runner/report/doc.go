// Package report shows what came of runs of the matrix.
//
// Write writes all forms of a report to a folder. WriteHTML writes one page that needs nothing from elsewhere, with the
// details of each cell in files beside it; WriteMarkdown a job summary, WriteJUnit an XML report, WriteBadges JSON for
// shields. Compare tells two runs apart, CompareDrafts two drafts within one run, and ByDraft puts the drafts of a
// relay side by side. Load reads run.json.
//
// Everything that a run says comes from peers or from catalogues, and is taken for hostile text in every form that is
// written here. Nothing in this package keeps state; its functions may be called concurrently.
package report
