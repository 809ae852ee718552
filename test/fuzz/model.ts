/**
 * The gate once more, written from the documents and from nothing else: a list of objections over the
 * raw facts of a case, of which the first that applies is the answer. Slow, without caches, and without
 * a line of the gate's own code.
 */
import { createHash, createHmac } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { Call } from '../../src/gate/call.ts';
import type { ProductPattern } from '../../src/ledger/documents.ts';
import type { Site } from '../../src/terms/terms.ts';
import { DOUBTFUL_TARGETS } from '../unit/terms/targets.ts';
import { PASSING_MS, STALENESS_MAX_MS, type Outcome, type Raw } from './raw.ts';

type Objection = readonly [cause: string, applies: (raw: Raw) => boolean];

/** What the gate has to answer. */
export function expected(raw: Raw): Outcome {
  const cause = firstOf(BEFORE_COUNTER, raw);
  if (cause !== undefined) return cause;
  const allowed = `Allowed ${keyIdOf(raw)}`;
  const { uid, grant, terms } = raw.record ?? {};
  if (terms?.quota === undefined || terms.quota.requests === -1) return allowed;
  const uncounted = firstOf(AT_COUNTER, raw);
  if (uncounted !== undefined) return `${uncounted} taken`;
  const late = firstOf(BEHIND_COUNTER, raw);
  if (late !== undefined) return late;
  const subject = grant ? `grant/${grant.formUid}/${grant.round}` : `key/${uid}`;
  return `${allowed} ${raw.uses} left taken from ${subject}`;
}

function firstOf(objections: readonly Objection[], raw: Raw): string | undefined {
  return objections.find(([, applies]) => applies(raw))?.[0];
}

/** Time as it is after the call has waited for the memory of signatures. */
const judgedMs = ({ nowMs, meanwhile, call }: Raw): number =>
  nowMs + (call.credential.type === 'Signed' && meanwhile === 'TimePasses' ? PASSING_MS : 0);

const IDENTITY: readonly Objection[] = [
  ['HeaderNotAllowed', ({ call }) => call.isSpoofed],
  ['NoKey', ({ call }) => call.credential.type === 'None'],
  ['AmbiguousKey', ({ call }) => call.credential.type === 'Ambiguous'],
  ['StateUnknown', ({ ageMs }) => ageMs === undefined || ageMs > STALENESS_MAX_MS],
  ['MalformedKey', (raw) => keyIdOf(raw) === undefined],
  ['UnknownKey', ({ isKnown }) => !isKnown],
  ['StateUnknown', ({ isDatabaseGone, isCached }) => isDatabaseGone && !isCached],
  ['UnknownKey', (raw) => credentialOf(raw) === undefined],
  ['StateUnknown', needsLostVersion],
  ['WrongSecret', (raw) => isSecretShown(raw) && !isSecretRight(raw)],
  ['WrongSignature', (raw) => !isSecretShown(raw) && !isSignatureRight(raw)],
  ['TimeTooSkewed', (raw) => raw.call.credential.type === 'Signed' && !isTimely(raw)],
  ['SignatureReplayed', (raw) => remembers(raw, 'Seen')],
  ['ReplayUnknown', (raw) => remembers(raw, 'Unknown')],
  ['StateUnknown', (raw) => remembers(raw, 'New') && isOutOfDate(raw)],
];

const RIGHTS: readonly (readonly [string, (raw: Raw, atMs: number) => boolean])[] = [
  ['KeyRevoked', isRevoked],
  ['ValueReplaced', (raw, atMs) => !isLive(raw, atMs)],
  ['KeySuspended', (raw) => raw.record?.state !== 'Active' || held(raw) === 'Suspended'],
  ['ClientSuspended', isClientMissing],
  ['Expired', ({ record }, atMs) => atMs >= (record?.terms.endMs ?? Infinity)],
  ['NotYetEffective', ({ record }, atMs) => atMs < (record?.terms.notBeforeMs ?? -Infinity)],
  ['OriginMissing', (raw) => originOf(raw) === 'Missing'],
  ['OriginNotAllowed', (raw) => originOf(raw) === 'No'],
  ['AddressNotAllowed', (raw) => !isAddressAllowed(raw)],
  ['TargetDoubtful', (raw) => productOf(raw) === 'Doubtful'],
  ['Unlisted', (raw) => productOf(raw) === 'Unlisted'],
  ['ProductRetired', (raw) => stateOfProduct(raw) === 'Retired'],
  ['ProductNotAllowed', (raw) => stateOfProduct(raw) === 'NotGranted'],
];

const BEFORE_COUNTER: readonly Objection[] = [
  ...IDENTITY,
  ...RIGHTS.map(([cause, applies]): Objection => [cause, (raw) => applies(raw, judgedMs(raw))]),
  ['QuotaUsedUp', ({ record }) => record?.terms.quota?.requests === 0],
];

const AT_COUNTER: readonly Objection[] = [
  ['QuotaUsedUp', ({ uses }) => uses === 'UsedUp'],
  ['QuotaUnknown', ({ uses }) => uses === 'Unknown'],
];

/** Of calls that waited for their use everything is asked again, at the time it is then. A no gives the use back. */
const BEHIND_COUNTER: readonly Objection[] = [
  ['StateUnknown', (raw) => raw.isWaitingForUses && isOutOfDate(raw)],
  ...RIGHTS.map(([cause, applies]): Objection => [
    cause,
    (raw) => hasPassedWaiting(raw) && applies(raw, raw.nowMs + PASSING_MS),
  ]),
];

const hasPassedWaiting = ({ isWaitingForUses, meanwhile }: Raw): boolean =>
  isWaitingForUses && meanwhile === 'TimePasses';

/** Whether what is known is worth nothing after a wait, and cannot be read again. */
const isOutOfDate = ({ meanwhile, isDatabaseGone, ageMs = Infinity }: Raw): boolean =>
  (meanwhile === 'KeyChanges' && isDatabaseGone) ||
  (meanwhile === 'TimePasses' && ageMs + PASSING_MS > STALENESS_MAX_MS);

// ---- who it is ----

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function keyIdOf({ call: { credential } }: Raw): string | undefined {
  switch (credential.type) {
    case 'Value':
      return valueOf(credential.value)?.keyId;
    case 'Pair':
      return /^[^_]+_[^_]+$/.test(credential.apiKey)
        ? valueOf(`${credential.apiKey}_${credential.apiSecret}`)?.keyId
        : undefined;
    case 'Signed':
    case 'BodySigned':
      return /^[a-z][a-z0-9]{0,15}_([0-9A-Za-z]{16})$/.exec(credential.apiKey)?.[1];
    default:
      return undefined;
  }
}

function valueOf(text: string): { readonly keyId: string; readonly secret: string } | undefined {
  const shape = /^[a-z][a-z0-9]{0,15}_([0-9A-Za-z]{16})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
  const [, keyId, secret, check] = shape.exec(text) ?? [];
  if (keyId === undefined || secret === undefined || check === undefined) return undefined;
  let crc = 0xffff_ffff;
  for (const byte of Buffer.from(text.slice(0, -6))) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  const number = [...check].reduce((sum, digit) => sum * 62 + DIGITS.indexOf(digit), 0);
  return number === ~crc >>> 0 ? { keyId, secret } : undefined;
}

function credentialOf(raw: Raw) {
  return raw.record?.credentials.find(({ keyId }) => keyId === keyIdOf(raw));
}

const isSecretShown = ({ call: { credential } }: Raw): boolean =>
  credential.type === 'Value' || credential.type === 'Pair';

const sealedOf = (raw: Raw) =>
  credentialOf(raw)?.slots.find(({ name }) => name === 'apiSecret')?.sealed;

function needsLostVersion(raw: Raw): boolean {
  const slots = credentialOf(raw)?.slots ?? [];
  const versions = isSecretShown(raw)
    ? slots.map(({ pepperVersion }) => pepperVersion)
    : [sealedOf(raw)?.version ?? 1];
  return versions.some((version) => raw.peppers[version] === undefined);
}

function isSecretRight(raw: Raw): boolean {
  const { credential } = raw.call;
  const text =
    credential.type === 'Pair'
      ? `${credential.apiKey}_${credential.apiSecret}`
      : credential.type === 'Value'
        ? credential.value
        : '';
  const shown = valueOf(text);
  return (credentialOf(raw)?.slots ?? []).some(({ digest, pepperVersion }) => {
    const hash = createHash('sha256').update(raw.peppers[pepperVersion] ?? '', 'hex');
    hash.update(`${shown?.keyId}${shown?.secret}`);
    return hash.digest('hex') === Buffer.from(digest).toString('hex');
  });
}

function isSignatureRight(raw: Raw): boolean {
  const { credential, body } = raw.call;
  if (sealedOf(raw) === undefined) return false;
  if (credential.type === 'Signed') {
    const hmac = createHmac(credential.algorithm, raw.apiSecret);
    return hmac.update(credential.date + credential.salt).digest('hex') === credential.signature;
  }
  if (credential.type !== 'BodySigned' || body === undefined) return false;
  if (credential.apiKey !== credentialOf(raw)?.hint) return false;
  const text = Buffer.from(body).toString();
  // The fuzz test's bodies have no blanks within strings.
  const payload = text === '' || isJson(text) ? text.replaceAll(/\s/g, '') : undefined;
  const hmac = createHmac('sha256', raw.apiSecret);
  hmac.update(`${payload}${credential.apiKey}${raw.apiSecret}`);
  return payload !== undefined && hmac.digest('base64') === credential.signature;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isTimely({ call: { credential }, nowMs, phpDates }: Raw): boolean {
  const date = credential.type === 'Signed' ? credential.date : '';
  const zone = /(Z|[+-]\d\d:?\d\d)$/.exec(date)?.[1];
  const local = Date.parse(
    `${date.slice(0, date.length - (zone?.length ?? 0)).replace(' ', 'T')}Z`,
  );
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '+09:00') ?? [];
  const aheadMinutes = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
  const near = (ahead: number): boolean =>
    Math.abs(Math.trunc(local) - ahead * 60_000 - nowMs) <= 15 * 60_000;
  return near(aheadMinutes) || (phpDates && zone === 'Z' && near(9 * 60));
}

const remembers = ({ call, novelty }: Raw, what: Raw['novelty']): boolean =>
  call.credential.type === 'Signed' && novelty === what;

// ---- what it may ----

const held = ({ hold }: Raw): string | undefined =>
  hold?.phase === 'Live' ? hold.held?.state : undefined;

function isRevoked(raw: Raw): boolean {
  const { record, client } = raw;
  const isGone = record?.phase === 'Ending' || record?.phase === 'Ended';
  const isClients = record?.clientUid !== undefined && client?.phase === 'Live';
  const byClient = isClients && client.state === 'Revoked';
  return isGone || record?.state === 'Revoked' || held(raw) === 'Revoked' || byClient;
}

function isLive(raw: Raw, atMs: number): boolean {
  const credential = credentialOf(raw);
  if (credential?.state === 'Retiring') return atMs < (credential.retireAtMs ?? -Infinity);
  return ['Sealed', 'Published', 'Active'].includes(credential?.state ?? '');
}

function isClientMissing({ record, client }: Raw): boolean {
  if (record?.clientUid === undefined) return false;
  return client === undefined || client.phase !== 'Live' || client.state !== 'Active';
}

type Page = { readonly site: URL; readonly path: string | undefined };

/** A header as a page; Bad: it says something else. */
function pageOf(text: string, form: RegExp): Page | 'Bad' {
  const [, scheme, authority, rest = ''] = form.exec(text) ?? [];
  const url = authority === undefined ? null : URL.parse(`${scheme}://${authority.toLowerCase()}`);
  if (url === null || /[@%]/.test(authority ?? '') || url.hostname.endsWith('..')) return 'Bad';
  return { site: url, path: rest.replace(/[?#].*/, '') };
}

const hostOf = ({ site }: Page): string => site.hostname.replace(/\.$/, '');
const portOf = ({ site }: Page): string =>
  site.port === '' ? (site.protocol === 'https:' ? '443' : '80') : site.port;

function originOf({ record, call }: Raw): 'Yes' | 'No' | 'Missing' {
  const policy = record?.terms.originPolicy;
  if (policy === undefined) return 'Yes';
  const { origin = '', referer = '' } = call;
  if (origin === '' && referer === '') return policy.missing === 'Allow' ? 'Yes' : 'Missing';
  const page = pageOf(referer, /^(https?):\/\/([^/?#]+)([^]*)$/i);
  const said = origin === '' || origin === 'null' ? page : saidWith(origin, referer, page);
  if (said === 'Bad') return 'No';
  return policy.allowed.some((site) => isSite(site, said, policy.unknownPath)) ? 'Yes' : 'No';
}

/** The site that Origin says, with the path of the Referer where that is a page of it. */
function saidWith(origin: string, referer: string, page: Page | 'Bad'): Page | 'Bad' {
  const said = pageOf(origin, /^(https?):\/\/([^/?#\s,]+)$/i);
  if (said === 'Bad' || (page === 'Bad' && referer !== '')) return 'Bad';
  if (page === 'Bad') return { ...said, path: undefined };
  if (hostOf(page) !== hostOf(said)) return 'Bad';
  const isSame = portOf(page) === portOf(said) && page.site.protocol === said.site.protocol;
  return isSame ? page : { ...said, path: undefined };
}

function isSite(site: Site, said: Page, unknown: string): boolean {
  const { path } = said;
  const host = hostOf(said);
  if (site.scheme !== undefined && `${site.scheme}:` !== said.site.protocol) return false;
  if (site.subdomains ? !host.endsWith(`.${site.host}`) : host !== site.host) return false;
  const ownPort = said.site.protocol === 'https:' ? 443 : 80;
  if (portOf(said) !== String(site.port ?? ownPort)) return false;
  if (site.path === undefined) return true;
  if (path === undefined || path === '' || path === '/') return unknown === 'Allow';
  if (/(^|\/)(\.|%2e){1,2}(\/|$)|%2f/i.test(path)) return false;
  return `${decodeURIComponent(path)}/`.startsWith(`${site.path}/`);
}

function isAddressAllowed({ record, call: { address = '' } }: Raw): boolean {
  const cidrs = record?.terms.cidrs ?? [];
  if (cidrs.length === 0) return true;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(plain);
  if (family === 0 || plain.includes('%')) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/');
    // Networks of one family never hold addresses of the other.
    if (isIP(network) === family) list.addSubnet(network, Number(prefix), type);
  }
  return list.check(plain, type);
}

const DOUBTFUL: ReadonlySet<string> = new Set(DOUBTFUL_TARGETS.map(([target]) => target));

/** Name of the product, None, Unlisted, or Doubtful. Claims of the fuzz test are of one host or any. */
function productOf({ call, products, record, unlisted }: Raw): string {
  const live = products.filter(({ phase }) => phase === 'Live');
  const { product = '' } = call;
  if (product !== '') return live.some(({ name }) => name === product) ? product : 'Unlisted';
  const isGranted = record?.grant !== undefined && record.terms.productRefs.length > 0;
  if (live.length === 0 && !isGranted && unlisted === 'allow') return 'None';
  const claims = live.flatMap(({ name, match }) => match.map((pattern) => ({ ...pattern, name })));
  if (isOdd(call, claims)) return 'Doubtful';
  const path = decodeURIComponent((call.target ?? '').replace(/\?.*/, ''));
  const [first] = claims
    .filter(({ pathPrefix }) => isBelow(path.toLowerCase(), pathPrefix))
    .filter(({ hosts }) => hosts.length === 0 || hosts.includes(plainHost(call.host)))
    .filter(({ methods }) => methods.length === 0 || methods.includes(call.method ?? ''))
    .toSorted(
      (a, b) => b.pathPrefix.length - a.pathPrefix.length || b.hosts.length - a.hosts.length,
    );
  if (first === undefined) return unlisted === 'deny' ? 'Unlisted' : 'None';
  return isBelow(path, first.pathPrefix) ? first.name : 'Doubtful';
}

function isOdd({ target = '', host = '', method = '' }: Call, claims: readonly ProductPattern[]) {
  const isTargetOdd = target === '' || DOUBTFUL.has(target);
  const isHostMissing = host === '' && claims.some(({ hosts }) => hosts.length > 0);
  const isMethodMissing = method === '' && claims.some(({ methods }) => methods.length > 0);
  const isWordOdd = /[^A-Za-z0-9.:-]/.test(host) || !/^[A-Z]*$/.test(method);
  return isTargetOdd || isHostMissing || isMethodMissing || isWordOdd;
}

const isBelow = (path: string, prefix: string): boolean =>
  `${path}/`.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
const plainHost = (host = ''): string => host.toLowerCase().replace(/\.?(:\d+)?$/, '');

function stateOfProduct(raw: Raw): string {
  const product = raw.products.find(
    ({ name, phase }) => phase === 'Live' && name === productOf(raw),
  );
  if (product === undefined || product.state === 'Retired') return product?.state ?? 'None';
  const isNamed = raw.record?.terms.productRefs.includes(product.name) === true;
  const isGranted = isNamed && raw.record?.grant !== undefined;
  return product.access === 'Open' || isGranted ? 'Open' : 'NotGranted';
}
