/** A value as a regular expression that JavaScript and Ruby read alike, and in words. */
interface ValueRule {
  readonly value: string;
  readonly says: string;
}

const COUNT: ValueRule = { value: "0|[1-9][0-9]{0,6}", says: "a number up to 9999999" };
const TIMES: ValueRule = { value: "[1-9][0-9]{0,3}", says: "1–9999" };
const LONGER = "[1-9][0-9]{0,4}s|[1-9][0-9]{0,3}m|[1-9][0-9]?h|[1-9]d";
/** HAProxy refuses a pause of 0, and checks without a pause would load every backend. */
const PAUSE: ValueRule = { value: `[1-9][0-9]{2,7}(?:ms)?|${LONGER}`, says: "a time of 100ms or more" };

/**
 * What a backend may say of itself in its znode, and how (https://docs.haproxy.org/2.6/configuration.html#5.2).
 * Undefined for a word without a value. Nothing here makes HAProxy ask for rights, open a file or talk to anybody else.
 */
export const SERVER_OPTION_RULES: Readonly<Record<string, ValueRule | undefined>> = {
  weight: {
    // HAProxy reads the digits and leaves the "%".
    value: "(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-6])%?",
    says: "0–256",
  },
  backup: undefined,
  disabled: undefined,
  check: undefined,
  maxconn: COUNT,
  minconn: COUNT,
  maxqueue: COUNT,
  slowstart: { value: `0|[1-9][0-9]{0,7}(?:ms)?|${LONGER}`, says: "a time like 30s" },
  inter: PAUSE,
  fastinter: PAUSE,
  downinter: PAUSE,
  rise: TIMES,
  fall: TIMES,
  port: {
    value: "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]",
    says: "1–65535",
  },
};

/** Of a word that the inventory allows with any value. No character that HAProxy unquotes, expands or runs. */
export const ANY_VALUE = "[A-Za-z0-9_.,:@/%+=-]{1,128}";
