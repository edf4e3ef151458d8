export const IMPORT = "`meshctl import FILE` makes an inventory of it";
export const TERRAFORM =
  "this is Terraform's form: `meshctl init prod.yaml --from-terraform FILE` takes what `terraform output -json` prints";

/** Text that is no YAML of anybody's, by how it begins. */
const TEXTS: readonly (readonly [RegExp, words: string])[] = [
  [
    /^(?:Host|Match) /i,
    "this is an ssh_config: `meshctl init prod.yaml --from-ssh-config 'kvm-*'` takes hosts of it",
  ],
  [/^(?:global|defaults|frontend|backend|listen)\b/, `this is haproxy.cfg: ${IMPORT}`],
  [/^(?:resource|provider|terraform|variable|module|output|data)\b/, TERRAFORM],
  [
    /\bansible_\w+=/,
    "this is Ansible's form: `meshctl init prod.yaml --from-ansible FILE` makes an inventory of it",
  ],
];

/** What a text is that holds no key; undefined where nobody can tell. */
export function foreignText(text: string): string | undefined {
  return TEXTS.find(([start]) => start.test(text))?.[1];
}
