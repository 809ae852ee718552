/** The API behind the gateways of the demo: answers who calls, as it was told. Run as a program. */
import { createServer } from 'node:http';

const TOLD = 'x-keyward-';

const server = createServer((req, res) => {
  const told = Object.entries(req.headers).filter(([name]) => name.startsWith(TOLD));
  const others = Object.keys(req.headers).filter((name) => /api-key|authorization/.test(name));
  const answer = {
    forecast: 'sunny',
    caller: Object.fromEntries(told.map(([name, value]) => [name.slice(TOLD.length), value])),
    // Nothing, if the gateway keeps keys to itself.
    keys: others.filter((name) => !name.startsWith(TOLD)),
  };
  res.writeHead(200, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(answer)}\n`);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
