/** How the units were before the last change. It is kept and put back with the files, run by run. */
export const BEFORE = "/var/lib/meshctl/files-before";
/** What each unit was started or reloaded with by the last change: a line of unit, invocation, digest and time. */
export const LOADED = "/var/lib/meshctl/files-loaded";
/** With what the check passed, the last five times: a line of digest and time, then one of its last words. */
export const PASSED = "/var/lib/meshctl/files-check-passed";
/** The same of what it failed with, until it passes again. */
export const FAILED = "/var/lib/meshctl/files-check-failed";
