/** The operator's own way out, for a fake vendor on loopback. */
import { lookup } from 'node:dns/promises';
import type { Clock } from '../src/kernel/clock.ts';
import { createVendorHttp, type ClosableHttp } from '../src/stores/http.ts';

/** As the operator would send, only that plain HTTP and loopback addresses are allowed. */
export function kitHttp(endpoint: URL, clock: Clock): ClosableHttp {
  return createVendorHttp({
    destination: { origin: endpoint, reach: 'Loopback' },
    clock,
    resolve: (host) => lookup(host, { all: true }),
    version: 'driver-kit',
  });
}
