/**
 * X.509 certificates for a control plane that lives for a test run: one own authority, and server
 * and client certificates signed by it. Written here because node:crypto reads certificates but does
 * not issue them, and openssl is not on every machine.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bits,
  integer,
  objectId,
  octets,
  sequence,
  setOf,
  tagged,
  time,
  utf8,
  yes,
  type Der,
} from './der.ts';

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const HOUR_MS = 3_600_000;
/** Ten years: a control plane left running on a developer's machine must not expire under him. */
const LIFETIME_MS = 10 * 365 * 24 * HOUR_MS;

/** Who a certificate speaks for. Kubernetes reads organizations as groups. */
export type Subject = {
  readonly commonName: string;
  readonly organizations?: readonly string[];
};

/** What is asked of the authority. Names and addresses are what a server may be reached by. */
export type CertificateRequest = Subject & {
  readonly usage: 'server' | 'client';
  readonly dnsNames?: readonly string[];
  /** IPv4 only: everything here is bound to 127.0.0.1. */
  readonly addresses?: readonly string[];
};

/** A certificate and its private key (PKCS #8), both PEM. */
export type Issued = { readonly certificatePem: string; readonly privateKeyPem: string };

/** A certificate authority that can sign. */
export type Authority = {
  readonly certificatePem: string;
  readonly subject: Subject;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
};

/** A fresh authority, valid from an hour before `nowMs` for ten years. */
export function createAuthority(commonName: string, nowMs: number): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = { commonName };
  const issuer = { subject, privateKey, publicKey, certificatePem: '' };
  const extensions = [
    extension('2.5.29.19', sequence(yes()), 'critical'),
    // keyCertSign and cRLSign: bits 5 and 6 of the first byte.
    extension('2.5.29.15', bits(Buffer.from([0x06]), 1), 'critical'),
  ];
  return { ...issuer, certificatePem: signed(issuer, { subject, publicKey, extensions, nowMs }) };
}

/** A key pair and its certificate, signed by `authority`; each call makes a new pair. */
export function issue(authority: Authority, request: CertificateRequest, nowMs: number): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const purpose = request.usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  const extensions = [
    // digitalSignature: the first bit.
    extension('2.5.29.15', bits(Buffer.from([0x80]), 7), 'critical'),
    extension('2.5.29.37', sequence(objectId(purpose))),
    ...alternativeNames(request),
  ];
  return {
    certificatePem: signed(authority, { subject: request, publicKey, extensions, nowMs }),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

type Content = {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Der[];
  readonly nowMs: number;
};

/** TBSCertificate of RFC 5280 section 4.1, signed and wrapped. */
function signed(issuer: Authority, content: Content): string {
  const identifiers = [
    extension('2.5.29.14', octets(identifierOf(content.publicKey))),
    extension('2.5.29.35', sequence(tagged(0x80, identifierOf(issuer.publicKey)))),
  ];
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    ECDSA_WITH_SHA256,
    nameOf(issuer.subject),
    sequence(time(content.nowMs - HOUR_MS), time(content.nowMs + LIFETIME_MS)),
    nameOf(content.subject),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...content.extensions, ...identifiers)),
  );
  const certificate = sequence(
    body,
    ECDSA_WITH_SHA256,
    bits(sign('sha256', body, issuer.privateKey)),
  );
  const lines = Buffer.from(certificate).toString('base64').replaceAll(/.{64}/g, '$&\n').trim();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function nameOf(subject: Subject): Der {
  const organizations = (subject.organizations ?? []).map((text) => attribute('2.5.4.10', text));
  return sequence(...organizations, attribute('2.5.4.3', subject.commonName));
}

function attribute(id: string, text: string): Der {
  return setOf(sequence(objectId(id), utf8(text)));
}

function alternativeNames(request: CertificateRequest): readonly Der[] {
  const names = [
    ...(request.dnsNames ?? []).map((name) => tagged(0x82, Buffer.from(name))),
    ...(request.addresses ?? []).map((address) => tagged(0x87, addressBytes(address))),
  ];
  return names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))];
}

function addressBytes(address: string): Uint8Array {
  if (!isIPv4(address)) throw new TypeError(`"${address}" is not an IPv4 address`);
  return Buffer.from(address.split('.').map(Number));
}

function extension(id: string, value: Der, weight: 'critical' | 'ordinary' = 'ordinary'): Der {
  const mark = weight === 'critical' ? [yes()] : [];
  return sequence(objectId(id), ...mark, octets(value));
}

/** Any stable name of a public half serves; the digest of its SPKI form is the usual one. */
function identifierOf(publicKey: KeyObject): Uint8Array {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}
