/**
 * Pure; a gRPC message in its frame: a byte that tells whether it is compressed, its length in four
 * bytes, and the message. Calls here have exactly one.
 */
import { FAILURES, type Failure } from './statuses.ts';

/** Bytes before a message. */
export const PREFIX_BYTES = 5;
/** Envoy's description of a call with the largest headers and body that its own limits let through. */
export const MESSAGE_BYTES_MAX = 128 * 1_024;

/** Puts messages, in parts if need be, into one frame. */
export function frame(...parts: readonly Uint8Array[]): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(
    parts.reduce((sum, part) => sum + part.length, 0),
    1,
  );
  return Buffer.concat([prefix, ...parts]);
}

/** The message out of all bytes of a call; a view, not a copy. */
export function unframe(bytes: Buffer): Buffer | Failure {
  if (bytes.length < PREFIX_BYTES) return FAILURES.NotOneMessage;
  if (bytes[0] === 1) return FAILURES.Compressed;
  if (bytes[0] !== 0) return FAILURES.BadFrame;
  const isOne = bytes.length === PREFIX_BYTES + bytes.readUInt32BE(1);
  return isOne ? bytes.subarray(PREFIX_BYTES) : FAILURES.NotOneMessage;
}

const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Milliseconds of a `grpc-timeout` header; undefined when it is not well formed. */
export function parseTimeout(text: string): number | undefined {
  const [, count, unit = ''] = TIMEOUT.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs;
}
