/** Says what a unit is being started with; see the script. */
export const RECORD_START = new URL("./record-start.sh", import.meta.url);
