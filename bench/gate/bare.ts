/**
 * What Node's own HTTP costs without a gate: a server that writes the headers of a yes and nothing else.
 * Run as a program with its port; a reference of the bench.
 */
import { createServer } from 'node:http';

const HEADERS = [
  'X-Keyward-Key-Id',
  'aaaaaaaaaaaaaaaa',
  'X-Keyward-Namespace',
  'team-12',
  'X-Keyward-Name',
  'key-1234',
];

createServer({ keepAliveTimeout: 75_000 }, (_, res) => {
  res.sendDate = false;
  res.writeHead(204, HEADERS).end();
}).listen(Number(process.argv[2]), '127.0.0.1');
