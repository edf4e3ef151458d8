import { userInfo } from "node:os";
import { expect, it, vi } from "vitest";
import { localUser } from "../src/local-user.ts";

vi.mock("node:os", { spy: true });

it("looks for its user once, however many hosts ask for paths in the home folder", () => {
  const users = Array.from({ length: 2000 }, localUser);
  expect(new Set(users).size).toBe(1);
  expect(users[0]).toEqual({ name: expect.any(String), uid: process.getuid?.(), home: expect.any(String) });
  expect(userInfo).toHaveBeenCalledTimes(1);
});
