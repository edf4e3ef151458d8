/** A function of an object that nobody changes: what it makes of each is made once, and kept as long as the object is. */
export function onceEach<Of extends object, Made>(make: (of: Of) => Made): (of: Of) => Made {
  const kept = new WeakMap<Of, { readonly made: Made }>();
  return (of) => {
    const last = kept.get(of);
    if (last !== undefined) return last.made;
    const made = make(of);
    kept.set(of, { made });
    return made;
  };
}
