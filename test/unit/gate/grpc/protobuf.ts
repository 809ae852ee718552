/** Protocol buffers as the tests write them: slowly, from the specification, sharing no code with the gate. */

/** A field with a number. */
export function numeric(field: number, value: number | bigint): Buffer {
  return Buffer.concat([number(field * 8), number(value)]);
}

/** A field with text, bytes or a message. */
export function delimited(field: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return Buffer.concat([number(field * 8 + 2), number(bytes.length), bytes]);
}

/** A field with a message, of these fields. */
export function message(field: number, ...fields: readonly Uint8Array[]): Buffer {
  return delimited(field, Buffer.concat(fields));
}

function number(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest % 128n) + (rest > 127n ? 128 : 0));
    rest /= 128n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A field as it stands in a message: its number, and its number or bytes. */
export type Field = { readonly field: number; readonly value: bigint | Buffer };

/** The fields of a message. Throws where it is not well formed. */
export function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const read = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('cut off');
      value += BigInt(byte % 128) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = read();
    const field = Number(tag / 8n);
    if (tag % 8n === 0n) {
      fields.push({ field, value: read() });
      continue;
    }
    if (tag % 8n !== 2n) throw new Error(`wire type ${tag % 8n}`);
    const end = Number(read()) + at;
    if (end > bytes.length) throw new Error('cut off');
    fields.push({ field, value: bytes.subarray(at, end) });
    at = end;
  }
  return fields;
}

/** A call as the tests describe it. */
export type SentCall = {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Sent as Envoy does with `encode_raw_headers`. */
  readonly rawHeaders?: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly source?: string;
  readonly extensions?: Readonly<Record<string, string>>;
};

/** A CheckRequest. */
export function checkRequest(call: SentCall): Buffer {
  const pair = (key: string, value: string, field = 2): readonly Buffer[] => [
    delimited(1, key),
    delimited(field, value),
  ];
  const http = [
    delimited(1, '4711'),
    delimited(2, call.method ?? 'GET'),
    ...(call.headers ?? []).map(([key, value]) => message(3, ...pair(key, value))),
    delimited(4, call.path ?? '/v1/places'),
    delimited(5, call.host ?? 'api.example.com'),
    delimited(6, 'https'),
    numeric(9, -1),
    delimited(10, 'HTTP/1.1'),
    ...(call.body === undefined ? [] : [delimited(12, call.body)]),
    message(
      13,
      ...(call.rawHeaders ?? []).map(([key, value]) => message(1, ...pair(key, value, 3))),
    ),
  ];
  return message(
    1,
    message(
      1,
      message(1, message(1, delimited(2, call.source ?? '192.0.2.7'), numeric(3, 40_000))),
    ),
    message(4, message(1, numeric(1, 1_764_000_000), numeric(2, 5)), message(2, ...http)),
    ...Object.entries(call.extensions ?? {}).map(([key, value]) =>
      message(10, ...pair(key, value)),
    ),
    delimited(11, ''),
  );
}

/** What a CheckResponse says. */
export type Answer = {
  readonly code: number;
  /** Of a no. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  readonly removedParameters: readonly string[];
  readonly body?: string;
};

/** Reads a CheckResponse. */
export function readAnswer(bytes: Buffer): Answer {
  const all = fieldsOf(bytes);
  const code = Number(valueOf(fieldsOf(only(all, 1)), 1) ?? 0n);
  const denied = all.find(({ field }) => field === 2);
  const ok = all.find(({ field }) => field === 3);
  const inner = fieldsOf((denied ?? ok)?.value as Buffer);
  const texts = (field: number): readonly string[] =>
    inner.filter((one) => one.field === field).map(({ value }) => String(value));
  const options = inner
    .filter(({ field }) => field === 2)
    .map(({ value }) => fieldsOf(value as Buffer));
  const headers = Object.fromEntries(
    options.map((option) => {
      if (only(option, 2).length !== 0) throw new Error('appends');
      const header = fieldsOf(only(option, 1));
      return [String(valueOf(header, 1)), String(valueOf(header, 2))];
    }),
  );
  const shared = { code, headers, removed: texts(5), removedParameters: texts(8) };
  if (denied === undefined) return shared;
  const status = Number(valueOf(fieldsOf(only(inner, 1)), 1));
  return { ...shared, status, body: texts(3)[0] ?? '' };
}

function only(fields: readonly Field[], field: number): Buffer {
  const [found, another] = fields.filter((one) => one.field === field);
  if (found === undefined || another !== undefined)
    throw new Error(`field ${field} is not there once`);
  return found.value as Buffer;
}

function valueOf(fields: readonly Field[], field: number): bigint | Buffer | undefined {
  return fields.find((one) => one.field === field)?.value;
}
