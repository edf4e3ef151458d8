import { hasWatcher, type Mesh } from "../contract/mesh.ts";

/** What a person should know of the mesh as a whole before they let it be set up. One sentence each. */
export function meshNotes(mesh: Mesh): readonly string[] {
  if (!hasWatcher(mesh) || mesh.networks.length > 0) return [];
  return [
    "backends may be at any address: whoever can write to ZooKeeper can send requests anywhere. " +
      "mesh.networks: [10.0.0.0/16] in the inventory keeps them in the blocks that it lists",
  ];
}
