import { expect, it } from "vitest";
import { maskTypedSecrets } from "../../src/cli/typed-secrets.ts";
import { MASK, maskSecrets } from "../../src/secret.ts";

it.each([
  [["verify", "--ask-pass=typed-first"], "typed-first", true],
  [["verify", "--become-password", "typed-second", "--json"], "typed-second", true],
  [["verify", "--vault-token=typed-third"], "typed-third", true],
  [["exec", "all", "--", "mysql", "--password=typed-fourth"], "typed-fourth", false],
  [["verify", "--no-pass", "--limit", "typed-fifth"], "typed-fifth", false],
])("%j: whether %s is masked: %s", (argv, secret, isMasked) => {
  maskTypedSecrets(argv);
  expect(maskSecrets(`unknown option '${secret}'`)).toBe(`unknown option '${isMasked ? MASK : secret}'`);
});
