const HOUR = 3600;
/** Who lives shorter never came up: systemd tries again every few seconds. */
const LIFE_SECONDS = 20;
/** Once is an accident. */
const MOST_DEATHS = 1;

/**
 * Whether a service that was started again `ages` seconds ago (each by systemd itself, the newest first) lives on: fewer than two
 * of its processes have died within the hour, and this one is older than twice what the others lived.
 */
export function isLiving(ageSeconds: number, ages: readonly number[]): boolean {
  const recent = ages.filter((age) => age < HOUR);
  // The first of them has ended a life whose length nobody knows.
  const lives = recent.slice(1).map((age, index) => age - recent[index]!);
  const deaths = lives.filter((life) => life >= LIFE_SECONDS).length;
  return deaths <= MOST_DEATHS && ageSeconds >= Math.min(HOUR, 2 * Math.max(0, ...lives));
}
