// Signs one request, given as JSON on standard input, with aws4, @smithy/signature-v4 or @smithy/signature-v4a (whose region is the
// region set); prints what would be sent as JSON.
import { createHash, createHmac } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(process.env.MODULES + "/");
const given = JSON.parse(await new Response(process.stdin).text());

class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac("sha256", secret) : createHash("sha256");
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.hash.digest());
  }
}

async function smithy() {
  const { SignatureV4 } = require("@smithy/signature-v4");
  const { SignatureV4a } = require("@smithy/signature-v4a");
  const { HttpRequest } = require("@smithy/protocol-http");
  const url = new URL(given.url);
  const query = {};
  for (const [name, value] of url.searchParams) {
    query[name] = name in query ? [].concat(query[name], value) : value;
  }
  // As @aws-sdk/s3-request-presigner does.
  const unsigned = given.presign && given.service === "s3" ? { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } : {};
  const request = new HttpRequest({
    method: given.method, protocol: url.protocol, hostname: url.hostname, port: Number(url.port), path: url.pathname, query,
    headers: { host: url.host, ...unsigned, ...given.headers }, body: given.body || undefined,
  });
  const signer = new (given.signer === "smithy4a" ? SignatureV4a : SignatureV4)({
    service: given.service, region: given.region, sha256: Sha256, uriEscapePath: given.service !== "s3",
    credentials: { accessKeyId: given.key, secretAccessKey: given.secret, sessionToken: given.token },
  });
  const signed = given.presign ? await signer.presign(request, { expiresIn: 600 }) : await signer.sign(request);
  const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const pairs = Object.entries(signed.query ?? {}).flatMap(([name, value]) => [].concat(value).map((each) => `${encode(name)}=${encode(each ?? "")}`));
  return { target: signed.path + (pairs.length ? "?" + pairs.join("&") : ""), headers: signed.headers };
}

function aws4() {
  const url = new URL(given.url);
  const signed = require("aws4").sign(
    { method: given.method, host: url.host, path: url.pathname + url.search, service: given.service, region: given.region,
      headers: given.headers, body: given.body || undefined, signQuery: given.presign },
    { accessKeyId: given.key, secretAccessKey: given.secret, sessionToken: given.token },
  );
  return { target: signed.path, headers: signed.headers };
}

console.log(JSON.stringify(given.signer === "aws4" ? aws4() : await smithy()));
