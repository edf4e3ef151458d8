// Set up for each file that needs hosts: a test that fails leaves no meshctl that changes the hosts of the next one.
import { afterEach } from "vitest";
import { endRuns } from "./meshctl.ts";

afterEach(endRuns);
