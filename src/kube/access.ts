/** Where the API server is, and how to prove who we are; credentials may change at any time. */

/** The API server's address. */
export type Server = {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Name to verify instead of `host`. */
  readonly serverName?: string;
  /** Path prefix of a proxy in front of the server, without a slash at the end; usually ''. */
  readonly basePath: string;
};

/** What TLS needs. PEM texts; absent `ca` means the system's roots. */
export type TlsMaterial = {
  readonly ca?: string;
  readonly cert?: string;
  readonly privatePem?: string;
  /** Skip only when a person asked for it by name. */
  readonly verification: 'Verify' | 'Skip';
};

/** Who we are right now. An unchanged identity is the same object, and so is its `tls`. */
export type Identity = {
  /** Value of the Authorization header; absent with a client certificate. */
  readonly authorization?: string;
  readonly tls: TlsMaterial;
};

/** Somebody else in whose name requests are made; the server asks whether we may. */
export type Impersonation = {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** Further facts about him, by name. */
  readonly extra: readonly (readonly [name: string, value: string])[];
};

/** Who we are to which server. `identity` is cheap and synchronous, because every call asks it. */
export interface Access {
  readonly server: Server;
  /** Absent: requests are made in our own name. */
  readonly impersonation?: Impersonation;
  /** The identity to use now; starts reading files again in the background when they are due. */
  identity(): Identity;
  /** Reads everything again, after a 401. Never rejects: what cannot be read stays as it was. */
  renew(): Promise<void>;
}
