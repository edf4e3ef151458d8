/** A host's name in the inventory. */
export type HostName = string;
