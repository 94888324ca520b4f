// A partner's application on openid-client: it knows the hub's address, its client id and its key, nothing else.
//   node openid-client.mjs DEMO.JSON ORGANISATION PATH
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'
import * as client from 'openid-client'

const [file, name, path] = process.argv.slice(2)
const demo = JSON.parse(readFileSync(file, 'utf8'))
const organisation = demo.organisations[name]

const der = Buffer.from(readFileSync(organisation.key, 'utf8').replace(/-----[^-]+-----|\s/g, ''), 'base64')
const key = await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])

const config = await client.discovery(
  new URL(demo.hub), organisation.clientId, undefined,
  client.PrivateKeyJwt({ key, kid: organisation.keyId }),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
)
const token = await client.clientCredentialsGrant(config, { resource: `${demo.hub}/${path.split('/')[1]}` })
const answer = await client.fetchProtectedResource(config, token.access_token, new URL(demo.hub + path), 'GET')
console.log(await answer.text())
process.exit(answer.ok ? 0 : 1)
