// The same scripts over the system's own ssh.
process.env.MESHCTL_TEST_CLIENT = "openssh";
await import("./running.test.ts");
