import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Sensitive } from '../../../src/kernel/sensitive.ts';

const VALUE = 'kw_canary_0123456789';

test.each([
  ['a template', (box: Sensitive) => `${box}`],
  ['string concatenation', (box: Sensitive) => 'x' + String(box)],
  ['JSON', (box: Sensitive) => JSON.stringify({ box })],
  ['inspection', (box: Sensitive) => inspect({ box }, { depth: 9, showHidden: true })],
  ['an error cause', (box: Sensitive) => inspect(new Error('x', { cause: box }))],
])('a boxed value prints as a mask in %s', (_, print) => {
  expect(print(new Sensitive(VALUE))).not.toContain(VALUE);
});

test('the box gives the value to whoever asks for it by name', () => {
  expect(new Sensitive(VALUE).revealText()).toBe(VALUE);
});

test('an erased box holds nothing, and the bytes it was made from are its own copy', () => {
  const source = Buffer.from(VALUE);
  const box = new Sensitive(source);
  box.erase();
  expect(box.reveal().every((byte) => byte === 0)).toBe(true);
  expect(source.toString()).toBe(VALUE);
});
