//go:build page

package web

import _ "embed"

//go:embed built/app.wasm.gz
var builtProgram []byte

//go:embed built/wasm_exec.js
var builtScript []byte

// inside are the files that are not committed. deploy/release.sh builds them before it builds the program.
var inside = Files{programFile: builtProgram, scriptFile: builtScript}
