const COMMENT = "# Written by meshctl: change the inventory or the playbook, not this file.\n";

/** The drop-in file. Every server reads the group [mysqld]. */
export function renderDropIn(values: readonly (readonly [name: string, value: string])[]): string {
  return `${COMMENT}[mysqld]\n${values.map(([name, value]) => `${name} = ${value}\n`).join("")}`;
}

/** A value of a drop-in as `renderDropIn` writes it. */
export function valueInDropIn(content: string | undefined, name: string): string | undefined {
  return content?.match(new RegExp(`^${name} = (\\S+)$`, "m"))?.[1];
}
