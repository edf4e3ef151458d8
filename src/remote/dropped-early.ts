/** The host hung up before the keys were exchanged: an overloaded sshd does so (MaxStartups). Worth another try. */
export class DroppedEarly extends Error {
  override readonly name = "DroppedEarly";
}
