/** The host hung up before the keys were exchanged: an overloaded sshd does so (MaxStartups). Worth another try. */
export class DroppedEarly extends Error {
  override readonly name = "DroppedEarly";
}

/** What to look at when a host hangs up before the keys are exchanged, by what it said. */
export function whyHungUp(said: string): string {
  return /\bHTTP\/\d/.test(said)
    ? "A web server or a proxy listens on this port, and no sshd: is the address right, and the port (`ssh: { port: … }`)?"
    : "Is sshd overloaded (MaxStartups), or does it refuse this address (PerSourcePenalties, hosts.deny)?";
}
