/** How values of a vendor are shown: enough to see that one is another, not enough to use it. */

const MASK = '********';
/** Long enough that four characters of it say nothing. */
const LONG = /^[0-9A-Za-z]{32,}$/;
/** SOLAPI calls it the public key; the status shows it as well. */
const PUBLIC_ID = /^NCS[0-9A-Z]{13}$/;
const SHOWN = 4;

/** The end of a vendor's value behind a mask; all of what is public; nothing of anything else. */
export function tail(value: string): string {
  if (PUBLIC_ID.test(value)) return value;
  return LONG.test(value) ? MASK + value.slice(-SHOWN) : MASK;
}
