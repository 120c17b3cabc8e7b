/** A judged domain whose every answer holds a secret: another one in each place. */
import type { Character } from "../../lab/character.ts"
import { OLD } from "../../lab/characters/parts.ts"
import { html, redirect, site, text } from "../../lab/web/respond.ts"

/** @param word - The secret for a place, as `a TXT record`. */
export function hostileCharacters(domain: string, word: (place: string) => string): Character[] {
  const common = {
    story: "Puts what looks like secrets into every answer.",
    because: "What a stranger says is evidence, and nothing else.",
    expect: { action: "review", evidence: [] },
  } as const
  return [
    {
      ...common,
      name: "tells-secrets",
      domain,
      zone: {
        records: [
          "@ A {ipv4}",
          `www CNAME ${word("a CNAME")}.elsewhere.test`,
          `@ TXT v=spf1 include:${word("an SPF include")}.test -all`,
          `@ TXT secret=${word("a TXT record")}`,
          `_dmarc TXT v=DMARC1; p=reject; rua=mailto:${word("a DMARC address")}@x.test`,
          `@ MX 10 ${word("an MX")}.test`,
          `@ CAA 0 issue "${word("a CAA record")}.test"`,
        ],
      },
      web: {
        http: redirect(`https://${domain}/?token=${word("a redirect")}`),
        https: site(
          {
            "/": html(
              word("a title"),
              `<p>${word("a text")}</p><a href="mailto:${word("a mail address")}@${domain}">x</a>
              <!-- ${word("a comment")} -->`,
              `<meta name="description" content="${word("a description")}">
              <link rel="canonical" href="https://${domain}/${word("a canonical link")}">
              <script type="application/ld+json">{"@type":"Organization","name":"${word("JSON-LD")}"}</script>`,
            ),
            "/robots.txt": text(`# ${word("robots.txt")}`),
            "/.well-known/security.txt": text(`Contact: mailto:${word("security.txt")}@${domain}`),
          },
          {
            server: word("a Server header"),
            "set-cookie": `session=${word("a cookie of theirs")}`,
            "x-any": word("a header of theirs"),
          },
        ),
        certificate: {
          names: [domain, `www.${domain}`, `${word("a name of a certificate")}.test`],
          organisation: word("a certificate's organisation"),
        },
      },
      registration: { ...OLD, statuses: [word("a status in RDAP")] },
    },
    {
      ...common,
      name: "fails-with-secrets",
      domain: `fails-${domain}`,
      zone: { records: ["@ A {ipv4}"] },
      web: {
        http: {
          kind: "raw",
          talk: (socket) => void socket.end(`HTTP/1.1 ${word("a broken status")}\r\n\r\n`),
        },
        https: redirect(`http://${word("a redirect to nowhere")}.invalid:99999/`),
        certificate: { issuer: "self", names: [`${word("a self-signed name")}.test`] },
      },
      registration: OLD,
    },
  ]
}
