// The same application on oauth4webapi, one level lower.
//   node oauth4webapi.mjs DEMO.JSON ORGANISATION PATH
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'
import * as oauth from 'oauth4webapi'

const [file, name, path] = process.argv.slice(2)
const demo = JSON.parse(readFileSync(file, 'utf8'))
const organisation = demo.organisations[name]
const plain = { [oauth.allowInsecureRequests]: true }

const der = Buffer.from(readFileSync(organisation.key, 'utf8').replace(/-----[^-]+-----|\s/g, ''), 'base64')
const key = await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])

const issuer = new URL(demo.hub)
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }))
const self = { client_id: organisation.clientId }
const response = await oauth.clientCredentialsGrantRequest(
  server, self, oauth.PrivateKeyJwt({ key, kid: organisation.keyId }),
  new URLSearchParams({ resource: `${demo.hub}/${path.split('/')[1]}` }), plain,
)
const token = await oauth.processClientCredentialsResponse(server, self, response)
const answer = await oauth.protectedResourceRequest(token.access_token, 'GET', new URL(demo.hub + path), undefined, undefined, plain)
console.log(await answer.text())
process.exit(answer.ok ? 0 : 1)
