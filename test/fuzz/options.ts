/** How cases differ: by dimensions, each with options of which none is the plain one. */
import type { Site } from '../../src/terms/terms.ts';
import { DOUBTFUL_TARGETS } from '../unit/terms/targets.ts';
import { aClient, aHold, aProduct, KEY_IDS, NOW_MS, SECRETS, type Draft } from './draft.ts';
import { STALENESS_MAX_MS } from './raw.ts';

/** One way to differ from the plain case. */
export type Option = { readonly name: string; readonly apply: (draft: Draft) => void };
/** Ways of which a case has at most one. */
export type Dimension = { readonly name: string; readonly options: readonly Option[] };

function by<T>(
  name: string,
  values: readonly T[],
  set: (draft: Draft, value: T) => void,
): Dimension {
  const options = values.map((value) => ({
    name: `${name} = ${typeof value === 'function' ? String(value) : JSON.stringify(value)}`,
    apply: (draft: Draft) => set(draft, value),
  }));
  return { name, options };
}

const MINUTES_15 = 15 * 60_000;
const iso = (atMs: number): string => new Date(atMs).toISOString();
const site = (changes: Partial<Site>): Site => ({ host: 'a.example', ...changes });

/** What is shown, and how it is spoiled. */
const SHOWN: readonly Dimension[] = [
  by(
    'shown',
    ['Pair', 'Signed', 'Signed', 'Signed', 'BodySigned', 'None', 'Ambiguous'] as const,
    (draft, type) => {
      draft.shown = type;
    },
  ),
  by('secret', SECRETS.slice(1), (draft, secret) => void (draft.secret = secret)),
  by(
    'prefix',
    ['zz', 'KW', 'k', '', 'kw_', 'a'.repeat(17), '9k'],
    (draft, prefix) => void (draft.prefix = prefix),
  ),
  by('keyId', [KEY_IDS.none, KEY_IDS.gone, 'Older'.padEnd(16, 'x'), 'short'], (draft, keyId) => {
    draft.keyId = keyId;
    draft.isKnown = keyId === KEY_IDS.gone;
  }),
  by(
    'mangle',
    [
      (text: string) => `${text} `,
      (text: string) => text.slice(0, -1),
      (text: string) => text.toUpperCase(),
      (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0'),
      (text: string) => text.replace(/^(.{30})./, '$1\u0130'),
      () => '',
      (text: string) => `${text}\0`,
      (text: string) => text.replace('_', '-'),
    ],
    (draft, mangle) => void (draft.mangle = mangle),
  ),
  by('algorithm', ['MD5'] as const, (draft, algorithm) => void (draft.algorithm = algorithm)),
  by<string>(
    'date',
    [
      ...[-MINUTES_15, MINUTES_15, -MINUTES_15 - 1, MINUTES_15 + 1].map((ms) => iso(NOW_MS + ms)),
      '2026-01-02 12:04:05',
      ...'2026-01-02T12:04:05+09:00 2026-01-02T12:04:05.123456+0900'.split(' '),
      '',
      ...'2026-01-02T12:04:05Z 2026-01-02T12:04:05.32400Z 2026-01-02T03:04:05 now'.split(' '),
      ...'2026-01-01T22:04:05-05:00 2026-01-02T03:04:05+00:00 2025-01-02T03:04:05Z'.split(' '),
    ],
    (draft, date) => void (draft.date = date),
  ),
  by('phpDates', [true], (draft, phpDates) => void (draft.phpDates = phpDates)),
  by(
    'signed body',
    ['', '{"a":[1,"y"]}', '{"a":[1, "x"]}'],
    (draft, text) => void (draft.signedBody = text),
  ),
  by('body', ['', '{"a":[1,"x"]}', '{"a":[1,"x"]', ' ', undefined], (draft, text) => {
    draft.call.body = text === undefined ? undefined : Buffer.from(text);
  }),
  by(
    'sealed',
    ['NotKept', 'LostVersion'] as const,
    (draft, sealed) => void (draft.sealed = sealed),
  ),
  by('novelty', ['Seen', 'Unknown'] as const, (draft, novelty) => void (draft.novelty = novelty)),
];

/** What is in the database. */
const RECORDED: readonly Dimension[] = [
  by<Draft['slots']>(
    'slots',
    [
      [],
      [[SECRETS[0] ?? '', 2]],
      [
        [SECRETS[1] ?? '', 1],
        [SECRETS[0] ?? '', 2],
      ],
      [
        [SECRETS[0] ?? '', 1],
        [SECRETS[1] ?? '', 1],
      ],
      [
        [SECRETS[0] ?? '', 1],
        [SECRETS[1] ?? '', 3],
      ],
      [[SECRETS[3] ?? '', 1]],
      [[SECRETS[0] ?? '', 3]],
    ],
    (draft, slots) => void (draft.slots = slots),
  ),
  by('older', [true], (draft, hasOlder) => void (draft.hasOlder = hasOlder)),
  by(
    'credential',
    [
      'Sealed',
      'Published',
      'Retiring',
      'Disabled',
      'Deleted',
      'Intent',
      'Created',
      'Unknown',
      'Ambiguous',
      'Blocked',
    ] as const,
    (draft, state) => void (draft.state = state),
  ),
  by('retire', [NOW_MS + 1, NOW_MS, NOW_MS + 20, 0], (draft, atMs) => {
    if (draft.state === 'Active') draft.state = 'Retiring';
    draft.retireAtMs = atMs;
  }),
  by(
    'phase',
    ['Retained', 'Ending', 'Ended'] as const,
    (draft, phase) => void (draft.key.phase = phase),
  ),
  by('key', ['Suspended', 'Revoked'] as const, (draft, state) => void (draft.key.state = state)),
  by(
    'hold',
    [aHold('Suspended', 'Live'), aHold('Revoked', 'Live'), aHold('Revoked', 'Ended')],
    (draft, hold) => {
      draft.hold = hold;
    },
  ),
  by(
    'client',
    [
      aClient({ state: 'Suspended' }),
      aClient({ state: 'Revoked' }),
      aClient({ phase: 'Ended' }),
      aClient({ uid: 'client-2' }),
      undefined,
    ],
    (draft, client) => void (draft.client = client?.uid === 'client-2' ? undefined : client),
  ),
  by('client of the key', [undefined, 'client-2'], (draft, uid) => {
    delete draft.key.clientUid;
    if (uid !== undefined) draft.key.clientUid = uid;
    if (uid !== draft.client?.uid) draft.client = undefined;
  }),
  by('grant', [undefined], (draft) => void delete draft.key.grant),
  by('start', [undefined, NOW_MS + 1, NOW_MS - 1], (draft, atMs) => {
    delete draft.terms.notBeforeMs;
    if (atMs !== undefined) draft.terms.notBeforeMs = atMs;
  }),
  by('end', [undefined, undefined, NOW_MS, NOW_MS - 1, NOW_MS + 50, NOW_MS + 51], (draft, atMs) => {
    delete draft.terms.endMs;
    if (atMs !== undefined) draft.terms.endMs = atMs;
  }),
  by('quota', [undefined, -1, 0, 1], (draft, requests) => {
    delete draft.terms.quota;
    if (requests !== undefined) draft.terms.quota = { requests, period: 'Day', timeZone: 'UTC' };
  }),
  by<readonly Site[] | undefined>(
    'sites',
    [
      undefined,
      [site({})],
      [site({ scheme: 'http' })],
      [site({ port: 8443 })],
      [site({ subdomains: true })],
      [site({ scheme: 'https' }), site({ host: 'www.a.example' })],
      [site({ path: '/app' }), site({ path: '/other' })],
    ],
    (draft, allowed) => {
      delete draft.terms.originPolicy;
      const policy = { missing: 'Deny', unknownPath: 'Deny' } as const;
      if (allowed !== undefined) draft.terms.originPolicy = { allowed, ...policy };
    },
  ),
  by(
    'policy',
    [
      ['Allow', 'Deny'],
      ['Deny', 'Allow'],
      ['Allow', 'Allow'],
    ] as const,
    (draft, [missing, unknownPath]) => {
      const { originPolicy } = draft.terms;
      if (originPolicy !== undefined)
        draft.terms.originPolicy = { ...originPolicy, missing, unknownPath };
    },
  ),
  by(
    'cidrs',
    [
      [],
      ['10.0.0.0/8'],
      ['2001:db8::/32'],
      ['11.0.0.0/8', '10.1.2.2/31'],
      ['10.1.2.2/32'],
      ['0.0.0.0/0'],
      ['::/0'],
    ],
    (draft, cidrs) => {
      draft.terms.cidrs = cidrs;
    },
  ),
  by(
    'granted',
    [[], ['mail'], ['mail', 'maps', 'secret'], ['Maps']],
    (draft, refs) => void (draft.terms.productRefs = refs),
  ),
];

/** What the call says. */
const SAID: readonly Dimension[] = [
  by(
    'origin',
    [
      undefined,
      '',
      ...'null http://a.example HTTPS://A.EXAMPLE https://a.example. https://a.example:443'.split(
        ' ',
      ),
      ...'https://a.example:8443 https://www.a.example https://x.a.example https://a.example.evil.example'.split(
        ' ',
      ),
      'https://a.example https://a.example',
      ...'https://user@a.example https://a.example/ ftp://a.example'.split(' '),
      ...'a.example https://null https://b.example http://a.example:443'.split(' '),
    ],
    (draft, origin) => void (draft.call.origin = origin),
  ),
  by(
    'referer',
    [
      undefined,
      '',
      ...'https://a.example/ https://a.example https://a.example/app https://a.example/apple'.split(
        ' ',
      ),
      ...'https://a.example/App/ https://a.example/app/../x https://a.example/app%2fx https://a.example/%61pp/x'.split(
        ' ',
      ),
      ...'https://b.example/app http://a.example/app https://a.example:8443/app https://a.example?/app'.split(
        ' ',
      ),
      ...'https://user@a.example/app about:blank https://www.a.example/app http://a.example/ app'.split(
        ' ',
      ),
      ...'https://a.example./app https://a.example/#/app https://x.a.example/app'.split(' '),
    ],
    (draft, referer) => void (draft.call.referer = referer),
  ),
  by('origin and referer', [undefined, ''], (draft, text) => {
    draft.call.origin = text;
    draft.call.referer = text;
  }),
  by(
    'address',
    [
      undefined,
      '',
      ...'10.1.2.4 ::ffff:10.1.2.3 2001:db8::1 2001:DB8:0::1 2001:db9::1 010.1.2.3'.split(' '),
      '10.1.2.3 ',
      ...'10.1.2.3:80 10.1.2 167838211 localhost ::1 2001:db8::1%eth0 ::10.1.2.3'.split(' '),
    ],
    (draft, address) => void (draft.call.address = address),
  ),
  by(
    'method',
    [undefined, '', 'POST', 'PUT', 'get'],
    (draft, method) => void (draft.call.method = method),
  ),
  by(
    'host',
    [
      undefined,
      '',
      'in.example',
      'IN.example.:8080',
      'api.example:8443',
      'in.example evil',
      'a@in.example',
    ],
    (draft, host) => {
      draft.call.host = host;
    },
  ),
  by(
    'target',
    [
      undefined,
      ...'/maps /maps/ /maps?x=/mail /mapsx /Maps/1 /MAIL/x /mail/3 /mail /old/1 /dead/1'.split(
        ' ',
      ),
      ...'/ /maps/secret /maps/secret/1 /maps/Secret /other /%6daps/x /m%41ps'.split(' '),
    ],
    (draft, target) => void (draft.call.target = target),
  ),
  by(
    'doubtful target',
    DOUBTFUL_TARGETS.map(([target]) => target),
    (draft, target) => {
      draft.call.target = target;
    },
  ),
  by(
    'route',
    ['maps', 'mail', 'old', 'dead', 'silent', 'nope', '', 'Maps'],
    (draft, product) => void (draft.call.product = product),
  ),
  by('spoofed', [true], (draft, isSpoofed) => void (draft.call.isSpoofed = isSpoofed)),
];

/** How the gate stands. */
const STANDING: readonly Dimension[] = [
  by(
    'age',
    [undefined, STALENESS_MAX_MS, STALENESS_MAX_MS + 1, 0],
    (draft, ageMs) => void (draft.ageMs = ageMs),
  ),
  by('cached', [false], (draft, isCached) => void (draft.isCached = isCached)),
  by('database gone', [true], (draft, isGone) => void (draft.isDatabaseGone = isGone)),
  by(
    'products',
    [
      [],
      [aProduct('maps', { access: 'Open', match: [{ hosts: [], pathPrefix: '/', methods: [] }] })],
    ],
    (draft, products) => {
      draft.products = products;
    },
  ),
  by('unlisted', ['allow'] as const, (draft, unlisted) => void (draft.unlisted = unlisted)),
  by('uses', ['UsedUp', 'Unknown', 0] as const, (draft, uses) => void (draft.uses = uses)),
  by('waiting', [true, true], (draft, isWaiting) => void (draft.isWaitingForUses = isWaiting)),
  by('meanwhile', ['KeyChanges', 'TimePasses'] as const, (draft, what) => {
    draft.meanwhile = what;
    if (draft.terms.endMs === NOW_MS + 1) draft.terms.endMs = NOW_MS + 1_000;
  }),
];

/** All of them, in the order in which they are applied. */
export const DIMENSIONS: readonly Dimension[] = [...SHOWN, ...RECORDED, ...SAID, ...STANDING];
