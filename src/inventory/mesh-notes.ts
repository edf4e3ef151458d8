import { type Mesh, pathOf } from "../contract/mesh.ts";

/** An even ensemble endures no more than the next smaller one, and is one more that can fail. Empty of an odd one. */
export function ensembleNotes({ ensemble }: Mesh): readonly string[] {
  const { length } = ensemble;
  if (length === 0 || length % 2 === 1) return [];
  const endures = length / 2 - 1;
  const lost =
    endures === 0 ? "when one of them is lost nothing can register" : `it endures the loss of ${endures}`;
  return [`the ensemble has ${length} members: ${lost}, just as with ${length - 1}. Take ${length + 1}`];
}

/** What a person should know of the mesh as a whole before they let it be set up. One sentence each. */
export function meshNotes(mesh: Mesh): readonly string[] {
  if (mesh.networks.length > 0 || mesh.services.every((service) => pathOf(service) === undefined)) return [];
  return [
    "backends may be at any address: a client that can write to ZooKeeper can send requests anywhere. " +
      "mesh.networks: [10.0.0.0/16] in the inventory keeps them in the blocks that it lists",
  ];
}
