/**
 * The closed list of rules: what is not here is not judged. A new rule is its file, its line here
 * and its row in `points.ts`.
 */
import type { Rule } from "../types.ts"
import { canonicalMatches } from "./content/canonical-matches.ts"
import { defaultServerPage } from "./content/default-server-page.ts"
import { faviconPresent } from "./content/favicon-present.ts"
import { hasContactPage } from "./content/has-contact-page.ts"
import { hasPrivacyPage } from "./content/has-privacy-page.ts"
import { hasTermsPage } from "./content/has-terms-page.ts"
import { parkedPage } from "./content/parked-page.ts"
import { securityTxtValid } from "./content/security-txt-valid.ts"
import { thinPage } from "./content/thin-page.ts"
import { titlePresent } from "./content/title-present.ts"
import { dnsNxdomain } from "./dns/dns-nxdomain.ts"
import { dnsResolves } from "./dns/dns-resolves.ts"
import { dnsServfail } from "./dns/dns-servfail.ts"
import { dnssecBogus } from "./dns/dnssec-bogus.ts"
import { dnssecSigned } from "./dns/dnssec-signed.ts"
import { dnssecValidated } from "./dns/dnssec-validated.ts"
import { hasCaa } from "./dns/has-caa.ts"
import { hasIpv6 } from "./dns/has-ipv6.ts"
import { lowTtlOnly } from "./dns/low-ttl-only.ts"
import { nsNetworkDiverse } from "./dns/ns-network-diverse.ts"
import { nsRedundant } from "./dns/ns-redundant.ts"
import { serviceVerificationTxt } from "./dns/service-verification-txt.ts"
import { bimiPresent } from "./email/bimi-present.ts"
import { dmarcEnforced } from "./email/dmarc-enforced.ts"
import { dmarcPresent } from "./email/dmarc-present.ts"
import { hasMxRecords } from "./email/has-mx-records.ts"
import { mtaStsEnforced } from "./email/mta-sts-enforced.ts"
import { mxKnownProvider } from "./email/mx-known-provider.ts"
import { nullMx } from "./email/null-mx.ts"
import { spfHardFail } from "./email/spf-hard-fail.ts"
import { spfLookupLimitExceeded } from "./email/spf-lookup-limit-exceeded.ts"
import { spfPermissive } from "./email/spf-permissive.ts"
import { spfPresent } from "./email/spf-present.ts"
import { tlsRptPresent } from "./email/tls-rpt-present.ts"
import { botChallenge } from "./http/bot-challenge.ts"
import { cookiesSecure } from "./http/cookies-secure.ts"
import { cspPresent } from "./http/csp-present.ts"
import { frameProtection } from "./http/frame-protection.ts"
import { hstsEnabled } from "./http/hsts-enabled.ts"
import { httpReachable } from "./http/http-reachable.ts"
import { httpRedirectsHttps } from "./http/http-redirects-https.ts"
import { nosniff } from "./http/nosniff.ts"
import { redirectsOffDomain } from "./http/redirects-off-domain.ts"
import { serverError } from "./http/server-error.ts"
import { contactEmailOnDomain } from "./identity/contact-email-on-domain.ts"
import { legalEntityId } from "./identity/legal-entity-id.ts"
import { orgMatchesCert } from "./identity/org-matches-cert.ts"
import { orgMatchesDomain } from "./identity/org-matches-domain.ts"
import { orgSchemaPresent } from "./identity/org-schema-present.ts"
import { socialLinksPresent } from "./identity/social-links-present.ts"
import { brandPlusKeyword } from "./lexical/brand-plus-keyword.ts"
import { digitHeavyLabel } from "./lexical/digit-heavy-label.ts"
import { homoglyphOfBrand } from "./lexical/homoglyph-of-brand.ts"
import { idnMixedScript } from "./lexical/idn-mixed-script.ts"
import { longOrRandomLabel } from "./lexical/long-or-random-label.ts"
import { sharedHostingSuffix } from "./lexical/shared-hosting-suffix.ts"
import { typosquatOfBrand } from "./lexical/typosquat-of-brand.ts"
import { domainAgeOver5y } from "./registration/domain-age-over-5y.ts"
import { domainAgeUnder1y } from "./registration/domain-age-under-1y.ts"
import { domainAgeUnder30d } from "./registration/domain-age-under-30d.ts"
import { expiresSoon } from "./registration/expires-soon.ts"
import { rdapHoldStatus } from "./registration/rdap-hold-status.ts"
import { recentTransfer } from "./registration/recent-transfer.ts"
import { registrarLock } from "./registration/registrar-lock.ts"
import { registrationMultiYear } from "./registration/registration-multi-year.ts"
import { certExpired } from "./tls/cert-expired.ts"
import { certHostnameMatch } from "./tls/cert-hostname-match.ts"
import { certLifetimeLong } from "./tls/cert-lifetime-long.ts"
import { certOrganisationValidated } from "./tls/cert-organisation-validated.ts"
import { certRecentlyIssued } from "./tls/cert-recently-issued.ts"
import { certSctPresent } from "./tls/cert-sct-present.ts"
import { certSelfSigned } from "./tls/cert-self-signed.ts"
import { certValidChain } from "./tls/cert-valid-chain.ts"
import { tlsModern } from "./tls/tls-modern.ts"
import { usesHttps } from "./tls/uses-https.ts"

export const RULES: readonly Rule[] = [
  dnsResolves,
  dnsNxdomain,
  dnsServfail,
  hasIpv6,
  nsRedundant,
  nsNetworkDiverse,
  dnssecSigned,
  dnssecValidated,
  dnssecBogus,
  hasCaa,
  lowTtlOnly,
  serviceVerificationTxt,
  hasMxRecords,
  nullMx,
  mxKnownProvider,
  spfPresent,
  spfHardFail,
  spfPermissive,
  spfLookupLimitExceeded,
  dmarcPresent,
  dmarcEnforced,
  mtaStsEnforced,
  tlsRptPresent,
  bimiPresent,
  usesHttps,
  certValidChain,
  certHostnameMatch,
  certExpired,
  certSelfSigned,
  certOrganisationValidated,
  certLifetimeLong,
  certRecentlyIssued,
  certSctPresent,
  tlsModern,
  httpReachable,
  httpRedirectsHttps,
  redirectsOffDomain,
  hstsEnabled,
  cspPresent,
  frameProtection,
  nosniff,
  cookiesSecure,
  serverError,
  botChallenge,
  titlePresent,
  canonicalMatches,
  faviconPresent,
  parkedPage,
  defaultServerPage,
  thinPage,
  hasPrivacyPage,
  hasTermsPage,
  hasContactPage,
  securityTxtValid,
  domainAgeUnder30d,
  domainAgeUnder1y,
  domainAgeOver5y,
  registrationMultiYear,
  expiresSoon,
  recentTransfer,
  rdapHoldStatus,
  registrarLock,
  orgSchemaPresent,
  orgMatchesDomain,
  orgMatchesCert,
  socialLinksPresent,
  contactEmailOnDomain,
  legalEntityId,
  idnMixedScript,
  homoglyphOfBrand,
  typosquatOfBrand,
  brandPlusKeyword,
  digitHeavyLabel,
  longOrRandomLabel,
  sharedHostingSuffix,
]
