export interface AnsibleVariable {
  readonly value: string;
  /** Where it stands in the file, in characters. */
  readonly offset: number;
  /** Set of what is no plain text, such as a vault's. */
  readonly isUnread?: true;
}

export interface AnsibleGroup {
  readonly hosts: Set<string>;
  readonly children: Set<string>;
  readonly variables: Map<string, AnsibleVariable>;
}

/** An Ansible inventory as its file has it. */
export interface AnsibleInventory {
  readonly groups: Map<string, AnsibleGroup>;
  readonly hosts: Map<string, { readonly offset: number; readonly variables: Map<string, AnsibleVariable> }>;
}

export function newAnsible(): AnsibleInventory {
  return { groups: new Map([["all", newGroup()]]), hosts: new Map() };
}

function newGroup(): AnsibleGroup {
  return { hosts: new Set(), children: new Set(), variables: new Map() };
}

export function groupIn({ groups }: AnsibleInventory, name: string): AnsibleGroup {
  const group = groups.get(name) ?? newGroup();
  groups.set(name, group);
  return group;
}

export function hostIn({ hosts }: AnsibleInventory, name: string, offset: number) {
  const host = hosts.get(name) ?? { offset, variables: new Map<string, AnsibleVariable>() };
  hosts.set(name, host);
  return host;
}
