// An OpenID provider for tests: oidc-provider with a login that believes who one says to be.
// It listens on loopback at the port given (0 is any), prints its address, and ends when its
// input does. Each process has keys of its own, so a restart is a rotation.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

const users = new Map(); // subject -> claims
const clients = new Map(); // client id -> algorithm of its ID tokens
let access = {}; // of access tokens: { alg, ttl }
let idTokenSeconds = 300;

const key = (type, options, rest) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', ...rest,
});
const jwks = {
  keys: [
    key('rsa', { modulusLength: 2048 }), // for RS256 and PS256
    key('ec', { namedCurve: 'P-256' }, { alg: 'ES256' }),
    key('ec', { namedCurve: 'P-384' }, { alg: 'ES384' }),
    key('ed25519', {}, { alg: 'EdDSA' }),
  ],
};

// clients are whoever comes: public ones, which prove themselves by PKCE.
class Adapter {
  static stored = new Map();

  constructor(model) { this.model = model; }

  key(id) { return `${this.model}:${id}`; }

  async find(id) {
    if (this.model !== 'Client') return Adapter.stored.get(this.key(id));
    return {
      client_id: id, token_endpoint_auth_method: 'none', redirect_uris: ['https://app.example/callback'],
      response_types: ['code'], grant_types: ['authorization_code'], id_token_signed_response_alg: clients.get(id) ?? 'RS256',
    };
  }

  async upsert(id, payload) { Adapter.stored.set(this.key(id), payload); }

  async findByUid(uid) { return [...Adapter.stored.values()].find((p) => p.uid === uid); }

  async findByUserCode() { return undefined; }

  async destroy(id) { Adapter.stored.delete(this.key(id)); }

  async consume(id) { Adapter.stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }

  async revokeByGrantId(grant) {
    for (const [k, p] of Adapter.stored) if (p.grantId === grant) Adapter.stored.delete(k);
  }
}

const claimsOf = (sub) => users.get(sub) ?? {};

const configuration = {
  adapter: Adapter,
  jwks,
  enabledJWA: {
    idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
  },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false, // the claims are in the ID token as well
  cookies: { keys: ['a key for tests'] },
  ttl: { IdToken: () => idTokenSeconds, AccessToken: () => access.ttl ?? 300, Interaction: 300, Session: 300, Grant: 300 },
  findAccount: async (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...claimsOf(sub) }) }),
  extraTokenClaims: async (ctx, token) => claimsOf(token.accountId),
  // Nobody is asked whether they agree.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    for (const resource of [ctx.oidc.params.resource].flat().filter(Boolean)) grant.addResourceScope(resource, 'api');
    await grant.save();
    return grant;
  },
  interactions: { url: (ctx, interaction) => `/login/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'api', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: access.ttl ?? 300,
        jwt: { sign: { alg: access.alg ?? 'RS256' } },
      }),
    },
  },
};

let handler;
const server = createServer((request, response) => handler(request, response));

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  const callback = provider.callback();
  handler = async (request, response) => {
    const { pathname } = new URL(request.url, issuer);
    if (pathname === '/prepare') {
      let text = '';
      for await (const part of request) text += part;
      const { sub, claims, client, alg, seconds } = JSON.parse(text);
      users.set(sub, claims);
      clients.set(client, alg);
      access = { alg, ttl: seconds };
      idTokenSeconds = seconds;
      response.writeHead(204).end();
    } else if (pathname.startsWith('/login/')) {
      const { params } = await provider.interactionDetails(request, response);
      await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
    } else {
      callback(request, response);
    }
  };
  console.log(`issuer ${issuer}`);
});

process.stdin.on('end', () => process.exit(0)).resume();
