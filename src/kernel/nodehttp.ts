/**
 * Node's `http`, got without an import statement: that one reads every export once, some of which
 * (`WebSocket` and others) load Node's whole fetch client, which nobody here uses. It would cost each
 * process some 3 MiB and 15 ms of processor time.
 */
const http = process.getBuiltinModule('node:http');

/** The class that keeps connections; see Node's documentation. */
export const HttpAgent = http.Agent;
/** Starts a server; see Node's documentation. */
export const createHttpServer = http.createServer;
/** Sends a request; see Node's documentation. */
export const startHttpRequest = http.request;
/** Words of each status, by number; see Node's documentation. */
export const HTTP_STATUS_TEXTS = http.STATUS_CODES;
