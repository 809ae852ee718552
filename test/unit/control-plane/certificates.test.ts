import { X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createAuthority, issue } from '../../../control-plane/certificates.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07Z');

describe('the certificate writer', () => {
  const authority = createAuthority('test authority', NOW_MS);
  const root = new X509Certificate(authority.certificatePem);

  test('makes an authority that is signed by itself and may sign others', () => {
    expect(root.subject).toBe('CN=test authority');
    expect(root.ca).toBe(true);
    expect(root.verify(authority.publicKey)).toBe(true);
    expect(root.checkIssued(root)).toBe(true);
  });

  test('signs a server certificate for exactly the names and addresses asked for', () => {
    const { certificatePem, privateKeyPem } = issue(
      authority,
      { commonName: 'api', usage: 'server', dnsNames: ['localhost'], addresses: ['127.0.0.1'] },
      NOW_MS,
    );
    const leaf = new X509Certificate(certificatePem);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test('writes organizations, which Kubernetes reads as groups, before the name', () => {
    const { certificatePem } = issue(
      authority,
      { commonName: 'admin', organizations: ['system:masters'], usage: 'client' },
      NOW_MS,
    );
    const leaf = new X509Certificate(certificatePem);
    expect(leaf.subject).toBe('O=system:masters\nCN=admin');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  test('is valid from an hour before to ten years after, also beyond 2050', () => {
    const lateMs = Date.parse('2045-01-01T00:00:00Z');
    const late = new X509Certificate(createAuthority('late', lateMs).certificatePem);
    expect(late.validFrom).toBe('Dec 31 23:00:00 2044 GMT');
    expect(late.validTo).toBe('Dec 30 00:00:00 2054 GMT');
  });

  test('refuses an address that is not IPv4 instead of writing a wrong one', () => {
    const request = { commonName: 'x', usage: 'server', addresses: ['::1'] } as const;
    expect(() => issue(authority, request, NOW_MS)).toThrow('"::1" is not an IPv4 address');
  });

  test('serves a TLS handshake in which both sides prove themselves', async () => {
    const nowMs = Date.now();
    const ca = createAuthority('handshake', nowMs);
    const serverRequest = { commonName: 's', usage: 'server', addresses: ['127.0.0.1'] } as const;
    const server = issue(ca, serverRequest, nowMs);
    const client = issue(ca, { commonName: 'c', usage: 'client' }, nowMs);
    const listener = createServer({
      ca: ca.certificatePem,
      cert: server.certificatePem,
      key: server.privateKeyPem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    listener.on('secureConnection', (socket: TLSSocket) => {
      socket.end(String(socket.getPeerCertificate().subject.CN));
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo; // A TCP listener's address is never text.
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: ca.certificatePem,
      cert: client.certificatePem,
      key: client.privateKeyPem,
    });
    const said = await socket.toArray();
    expect(Buffer.concat(said).toString()).toBe('c');
    listener.close();
  });
});
