/**
 * The part of DER (ITU-T X.690) that an X.509 certificate needs: values in, bytes out. Nothing here
 * parses. Called by certificates.ts only.
 */

/** One encoded value: tag, length, content. */
export type Der = Uint8Array;

/** A value of any tag around its already encoded content. */
export function tagged(tag: number, ...contents: readonly Uint8Array[]): Der {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** SEQUENCE: the values in the order given. */
export function sequence(...values: readonly Der[]): Der {
  return tagged(0x30, ...values);
}

/** SET of one value, which needs no sorting. */
export function setOf(value: Der): Der {
  return tagged(0x31, value);
}

/** INTEGER from its big-endian magnitude; always positive, leading zeros are dropped. */
export function integer(magnitude: Uint8Array): Der {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.from([0]) : Buffer.from(magnitude.subarray(first));
  // A set top bit would read as a minus sign.
  const sign = (digits[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0);
  return tagged(0x02, sign, digits);
}

/** BOOLEAN true; DER leaves false out wherever it is the default. */
export function yes(): Der {
  return tagged(0x01, Buffer.from([0xff]));
}

/** OBJECT IDENTIFIER from its dotted form, such as 1.2.840.10045.4.3.2. */
export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** UTF8String. */
export function utf8(text: string): Der {
  return tagged(0x0c, Buffer.from(text, 'utf8'));
}

/** OCTET STRING. */
export function octets(bytes: Uint8Array): Der {
  return tagged(0x04, bytes);
}

/** BIT STRING; `unusedBits` counts the bits to ignore at the end of the last byte. */
export function bits(bytes: Uint8Array, unusedBits = 0): Der {
  return tagged(0x03, Buffer.from([unusedBits]), bytes);
}

/** An instant: UTCTime before 2050, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(atMs: number): Der {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return digits < '2050'
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits));
}

function lengthOf(size: number): Uint8Array {
  if (size < 0x80) return Buffer.from([size]);
  const hex = size.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 + bytes.length]), bytes]);
}

/** Seven bits a byte, every byte but the last with its top bit set. */
function base128(value: number): number[] {
  const groups = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    groups.unshift((left % 128) + 128);
  }
  return groups;
}
