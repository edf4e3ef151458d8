// Run as a program of its own: opens a reader on a host and keeps it, until it is killed. Argument: SshSettings as JSON.
import { HostReader } from "../../../src/reader/host-reader.ts";
import { lookThrough } from "../../../src/reader/look.ts";
import { remoteOpener } from "../../../src/remote/open.ts";

const remote = remoteOpener()("one", JSON.parse(process.argv[2]!));
const answer = await lookThrough(new HostReader(remote))(["clock"]);
console.log(answer.is);
setInterval(() => {}, 1_000);
