package schemacheck

import "github.com/tenantry/tenantry/internal/schemacheck/report"

// Report is the result of [Validate].
type Report = report.Report

// FileResult is what checking one file came to.
type FileResult = report.FileResult
