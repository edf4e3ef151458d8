import { expect, it } from "vitest";
import { meshNotes } from "../../src/inventory/mesh-notes.ts";
import { mesh, service } from "../haproxy/mesh.ts";

const fixed = service({ servers: [{ name: "a", host: "10.0.0.9", port: 80 }] });

it.each([
  ["with services in ZooKeeper", mesh([service()]), 1],
  ["that says where backends are", { ...mesh([service()]), networks: ["10.0.0.0/16"] }, 0],
  ["with fixed servers alone", mesh([fixed]), 0],
])("tells of a mesh %s what keeps backends in their place", (_, of, count) => {
  const notes = meshNotes(of);
  expect(notes).toHaveLength(count);
  for (const note of notes) expect(note).toContain("mesh.networks: [10.0.0.0/16]");
});
