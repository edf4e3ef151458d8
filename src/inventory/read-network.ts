import { readFileSync } from "node:fs";
import type { Network } from "../contract/inventory-view.ts";
import { fileError } from "./file-error.ts";
import { resolvePath } from "./resolve-path.ts";
import { networkSection } from "./schema.ts";
import type { Section } from "./section.ts";

/** `network:`, with the certificates read from their file. */
export function readNetwork(section: Section): Network {
  const network = section.checkOptional(["network"], networkSection);
  const caFile = network?.ca_file;
  return {
    proxy: network?.proxy,
    caCertificates: caFile === undefined ? undefined : readCertificates(section, caFile),
  };
}

function readCertificates(section: Section, caFile: string): string | undefined {
  const place = ["network", "ca_file"];
  const path = resolvePath(caFile, section.fileOf(place));
  try {
    const text = readFileSync(path, "utf8");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    section.problem(place, `expected a file of PEM certificates, found other content in ${path}`);
  } catch (error) {
    section.problem(place, `${path}: ${fileError(error)}`, {
      hint: "a relative path starts at the folder of the file that names it",
    });
  }
  return undefined;
}
