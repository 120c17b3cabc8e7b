/** Every way in which a stranger's secret comes into the server: one request an entrance, as bytes. */

/** @param secret - Put where the entrance's name says. */
type Request = (secret: string) => string

const request = (line: string, headers: readonly string[] = [], body = "") =>
  [
    line,
    ...(headers.some((header) => /^host:/i.test(header)) ? [] : ["Host: localhost"]),
    ...headers,
    ...(body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    "Connection: close",
    "",
    body,
  ].join("\r\n")

const header =
  (name: string, before = ""): Request =>
  (secret) =>
    request("GET /v1/usage HTTP/1.1", [`${name}: ${before}${secret}`])

const post =
  (type: string, body: Request): Request =>
  (secret) =>
    request("POST /v1/analyze HTTP/1.1", [`Content-Type: ${type}`], body(secret))

const basic = (secret: string) => Buffer.from(`shop:${secret}`).toString("base64")

export const REQUESTS: Readonly<Record<string, Request>> = {
  "Authorization: Bearer": header("Authorization", "Bearer "),
  "Authorization: Basic": (secret) => header("Authorization", "Basic ")(basic(secret)),
  "an unknown scheme": header("Authorization"),
  "Proxy-Authorization": header("Proxy-Authorization", "Bearer "),
  "X-API-Key": header("X-API-Key"),
  "X-API-Key twice": (secret) =>
    request("GET /v1/usage HTTP/1.1", [`X-API-Key: ${secret}`, `X-API-Key: ${secret}`]),
  Cookie: header("Cookie", "session="),
  "User-Agent": header("User-Agent", "shop/1.0 "),
  Referer: header("Referer", "https://shop.example/?token="),
  "X-Forwarded-For": header("X-Forwarded-For"),
  Forwarded: header("Forwarded", "for="),
  "X-Request-Id": header("X-Request-Id"),
  traceparent: header("traceparent", "00-"),
  Origin: header("Origin", "https://"),
  "If-None-Match": header("If-None-Match"),
  Accept: header("Accept", "application/json;v="),
  Expect: header("Expect"),
  Upgrade: (secret) => request("GET / HTTP/1.1", [`Upgrade: ${secret}`, "Connection: Upgrade"]),
  "a header's name": (secret) => request("GET / HTTP/1.1", [`${secret}: 1`]),
  "a header with a NUL": (secret) => request("GET / HTTP/1.1", [`X-Any: ${secret}\0`]),
  "a header without end": (secret) =>
    request("GET / HTTP/1.1", [`X-Any: ${secret.padEnd(40_000, "x")}`]),
  Host: (secret) => request("GET / HTTP/1.1", [`Host: ${secret}.example`]),
  "two hosts": (secret) => request("GET / HTTP/1.1", ["Host: localhost", `Host: ${secret}`]),
  "Transfer-Encoding": (secret) => request("POST / HTTP/1.1", [`Transfer-Encoding: ${secret}`]),
  "a chunk's size": (secret) =>
    `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${secret}\r\n`,
  "Content-Length": (secret) => request("POST / HTTP/1.1", [`Content-Length: ${secret}`]),
  "a query": (secret) => request(`GET /v1/health?token=${secret} HTTP/1.1`),
  "a query of a metered route": (secret) => request(`GET /v1/usage?month=${secret} HTTP/1.1`),
  "a parameter's name": (secret) => request(`GET /v1/health?${secret}=1 HTTP/1.1`),
  "a domain": (secret) => request(`GET /v1/analyze?domain=${secret} HTTP/1.1`),
  "a domain's user": (secret) =>
    request(`GET /v1/analyze?domain=https%3A%2F%2Fu%3A${secret}%40a.test%2F HTTP/1.1`),
  "a path": (secret) => request(`GET /v1/${secret} HTTP/1.1`),
  "a path, percent-encoded": (secret) =>
    request(`GET /v1/%2e%2e/${secret.replaceAll("_", "%5F")} HTTP/1.1`),
  "an absolute target": (secret) => request(`GET http://u:${secret}@localhost/ HTTP/1.1`),
  "a fragment": (secret) => request(`GET /#${secret} HTTP/1.1`),
  "a backslash": (secret) => request(`GET /\\${secret} HTTP/1.1`),
  "a method": (secret) => request(`${secret} / HTTP/1.1`),
  "a version": (secret) => request(`GET / HTTP/${secret}`),
  "no HTTP at all": (secret) => `${secret}\r\n\r\n`,
  CONNECT: (secret) => request(`CONNECT ${secret}.example:443 HTTP/1.1`),
  "a JSON body": post("application/json", (secret) => JSON.stringify({ api_key: secret })),
  "a broken JSON body": post("application/json", (secret) => `{"api_key":"${secret}`),
  "a field's value of a JSON body": (secret) =>
    request(
      "POST /v1/keys HTTP/1.1",
      ["Content-Type: application/json"],
      JSON.stringify({ name: secret, [secret]: secret, scopes: [secret], addresses: [secret] }),
    ),
  "a request for a key": (secret) =>
    request(
      "POST /v1/key-requests HTTP/1.1",
      ["Content-Type: application/json", `Idempotency-Key: ${secret}`],
      JSON.stringify({
        name: secret,
        organisation: secret,
        purpose: secret,
        contact: "canary@x.example",
      }),
    ),
  "a field's name of a request for a key": (secret) =>
    request(
      "POST /v1/key-requests HTTP/1.1",
      ["Content-Type: application/json"],
      JSON.stringify({ [secret]: secret, contact: secret }),
    ),
  "a form's request for a key": (secret) =>
    request(
      "POST /request-a-key HTTP/1.1",
      ["Content-Type: application/x-www-form-urlencoded"],
      `name=${secret}&organisation=${secret}&purpose=${secret}&contact=a@x.example`,
    ),
  "a link to a key": (secret) =>
    request(
      "POST /claim-a-key HTTP/1.1",
      ["Content-Type: application/x-www-form-urlencoded"],
      `token=zt_link_${secret}`,
    ),
  "a report of leaked keys": (secret) =>
    request(
      "POST /v1/leaked-keys HTTP/1.1",
      [
        "Content-Type: application/json",
        `Github-Public-Key-Identifier: ${secret}`,
        `Github-Public-Key-Signature: ${secret}`,
      ],
      JSON.stringify([{ token: secret, url: `https://a.test/${secret}` }]),
    ),
  "Idempotency-Key": (secret) => request("POST /v1/keys HTTP/1.1", [`Idempotency-Key: ${secret}`]),
  "a key's id": (secret) => request(`POST /v1/keys/${secret}/revoke HTTP/1.1`),
  "a form": post("application/x-www-form-urlencoded", (secret) => `password=${secret}`),
  "a multipart body": post(
    "multipart/form-data; boundary=x",
    (secret) => `--x\r\nContent-Disposition: form-data; name="p"\r\n\r\n${secret}\r\n--x--`,
  ),
  "a body of a GET": (secret) => request("GET /v1/usage HTTP/1.1", [], secret),
}
