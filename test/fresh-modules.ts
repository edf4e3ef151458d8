import { vi } from "vitest";

// Unit tests' files share their workers, which saves starting one for each. What a module of ours remembers, such as
// the secrets to mask, must not pass from one file to the next: each file loads our modules anew.
vi.resetModules();
