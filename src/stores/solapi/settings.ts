/** Pure; the member `solapi` of a KeyStore spec, read into settings. */
import { SECOND_MS } from '../../kernel/time.ts';
import { findZone, UTC, type Zone } from '../../terms/zone.ts';
import type { Algorithm, DateFormat, Scheme } from './signature.ts';

/** What one store of this type is told. */
export type Settings = {
  /** Scheme, host and port. */
  readonly origin: URL;
  /** Stands before the vendor's paths: empty, or `/…` without a slash at its end. */
  readonly basePath: string;
  readonly secretName: string;
  readonly scheme: Scheme;
  readonly algorithm: Algorithm;
  readonly dateFormat: DateFormat;
  /** Whose clocks dates of the format Local show. */
  readonly zone: Zone;
  readonly settleMs: number;
  readonly deleteGraceMs: number;
  readonly onExpiry: 'Disable' | 'Delete';
};

/** Where the vendor is, unless the spec says otherwise. */
export const DEFAULT_ENDPOINT = 'https://solapi.com';

const KOREA = 'Asia/Seoul';
const SETTLE_SECONDS = 30;
const DELETE_GRACE_SECONDS = 60;

/**
 * The settings, or a sentence that names the field. Defaults that depend on the scheme stand here,
 * because a schema cannot say them: scheme User signs with MD5 and local dates, as the vendor's
 * samples for account management do, HMAC with SHA-256 and ISO 8601, as its clients do.
 */
export function parseSettings(member: Member): Settings | { readonly problem: string } {
  const reader = new Reader(member);
  const scheme = reader.word<Scheme>('scheme', ['User', 'HMAC'], 'User');
  const isUser = scheme === 'User';
  const endpoint = reader.endpoint();
  const settings = {
    origin: new URL(endpoint.origin),
    basePath: endpoint.pathname.replace(/\/+$/, ''),
    secretName: reader.secretName(),
    scheme,
    algorithm: reader.word<Algorithm>(
      'algorithm',
      ['HMACMD5', 'HMACSHA256'],
      isUser ? 'HMACMD5' : 'HMACSHA256',
    ),
    dateFormat: reader.word<DateFormat>(
      'dateFormat',
      ['Local', 'ISO8601'],
      isUser ? 'Local' : 'ISO8601',
    ),
    zone: reader.zone(),
    settleMs: reader.milliseconds('settleSeconds', SETTLE_SECONDS),
    deleteGraceMs: reader.milliseconds('deleteGraceSeconds', DELETE_GRACE_SECONDS),
    onExpiry: reader.word<Settings['onExpiry']>('onExpiry', ['Disable', 'Delete'], 'Disable'),
  };
  const [problem] = reader.problems;
  return problem === undefined ? settings : { problem };
}

type Member = Readonly<Record<string, unknown>>;

/** Reads fields and notes what is wrong with them, so that each reading line stays one line. */
class Reader {
  readonly problems: string[] = [];
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  word<Word extends string>(name: string, words: readonly Word[], absent: Word): Word {
    const value = this.#member[name] ?? absent;
    const found = words.find((word) => word === value);
    return found ?? this.#complain(`${name} ${JSON.stringify(value)} is unknown`, absent);
  }

  milliseconds(name: string, absentSeconds: number): number {
    const value = this.#member[name] ?? absentSeconds;
    const isSeconds = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    return isSeconds ? value * SECOND_MS : this.#complain(`${name} is no number of seconds`, 0);
  }

  secretName(): string {
    const ref = this.#member.credentialsSecretRef;
    const name = typeof ref === 'object' && ref !== null && 'name' in ref ? ref.name : undefined;
    return typeof name === 'string' && name !== ''
      ? name
      : this.#complain('credentialsSecretRef.name is missing', '');
  }

  zone(): Zone {
    const name = this.#member.timeZone ?? KOREA;
    const zone = typeof name === 'string' ? findZone(name) : undefined;
    return zone ?? this.#complain(`timeZone ${JSON.stringify(name)} is unknown`, UTC);
  }

  endpoint(): URL {
    const text = this.#member.endpoint ?? DEFAULT_ENDPOINT;
    const url = typeof text === 'string' ? URL.parse(text) : null;
    return url !== null && isEndpoint(url)
      ? url
      : this.#complain(
          'endpoint must be an https address without user, query and fragment',
          new URL(DEFAULT_ENDPOINT),
        );
  }

  #complain<Value>(what: string, instead: Value): Value {
    this.problems.push(`spec.solapi.${what}`);
    return instead;
  }
}

/** Plain http only to this very machine: there it serves tests and a proxy beside the operator. */
function isEndpoint(url: URL): boolean {
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
  return (
    isSafe && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  );
}
