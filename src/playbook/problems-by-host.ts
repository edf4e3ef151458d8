import type { HostName } from "../contract/inventory-view.ts";
import type { ParameterLayer } from "../inventory/parameter-layer.ts";
import type { Origin, Problems } from "../inventory/problems.ts";

/** What a play says of one step, and to whom. */
export interface Given {
  readonly layer: ParameterLayer;
  readonly hosts: readonly HostName[];
}

interface Found {
  readonly origin: Origin;
  readonly message: string;
  readonly options: Parameters<Problems["add"]>[2];
  readonly given: Given;
  readonly hosts: HostName[];
}

/** Gathers what the same value of a play is said to do wrong on several hosts, to report it once. */
export class ProblemsByHost {
  readonly #found = new Map<string, Found>();

  add(host: HostName, given: Given, ...[origin, message, options]: Parameters<Problems["add"]>): void {
    const key = JSON.stringify([origin.source.file, origin.path, message]);
    const known = this.#found.get(key);
    if (known === undefined) this.#found.set(key, { origin, message, options, given, hosts: [host] });
    else known.hosts.push(host);
  }

  /** What only some of the play's hosts have wrong names them, unless the place itself belongs to them. */
  reportTo(problems: Problems): void {
    for (const { origin, message, options, given, hosts } of this.#found.values()) {
      const some = hosts.length < given.hosts.length && origin.source === given.layer.source;
      problems.add(origin, some ? `${message} (on ${hosts.join(", ")})` : message, options);
    }
  }
}
