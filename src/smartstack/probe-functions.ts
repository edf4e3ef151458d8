/** Shell functions for the probes of the steps that run a program of SmartStack's. */
export const PROBE_FUNCTIONS = new URL("./probe-functions.sh", import.meta.url);
