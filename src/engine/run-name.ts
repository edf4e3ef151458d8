import { randomBytes } from "node:crypto";

const RUN_NAME = /^\d{8}-\d{6}-[0-9a-f]{4,32}$/;

/** Sorts by time and never collides: "20261122-190312-4f2a9c0d71e3". */
export function runName(): string {
  const time = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${time}-${randomBytes(6).toString("hex")}`;
}

/** Whether a run may be called so: also by a host, which tells of the runs that it keeps. */
export function isRunName(name: string): boolean {
  return RUN_NAME.test(name);
}
