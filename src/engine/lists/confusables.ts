/**
 * Characters that look like a Latin letter, by the letter: digits, Cyrillic, Greek, Armenian and
 * others, after UTS #39 (confusables.txt), cut down to what occurs in registered names. Accents
 * need no entry: they fall away by canonical decomposition. `l` and `i` are one, as in UTS #39.
 */
export const CONFUSABLES = {
  version: "2026-11-24",
  lookAlikes: {
    a: "а4αɑ",
    b: "Ьƅ68ʙ",
    c: "сϲƈⅽ",
    d: "ԁɗժⅾ",
    e: "еєҽɛε3",
    f: "ƒſ",
    g: "ɡɢց9",
    h: "һհʜ",
    i: "іɩɪιıl1ӏⅼʟł|",
    j: "јʝյ",
    k: "κкᴋ",
    m: "мⅿ",
    n: "пոηɴ",
    o: "0оοօσ",
    p: "рρ",
    q: "ԛգ",
    r: "гʀ",
    s: "ѕ5ꜱ",
    t: "тτţ7",
    u: "υսᴜџ",
    v: "ѵνᴠⅴ",
    w: "ԝաᴡω",
    x: "хҳⅹχ",
    y: "уүγʏ",
    z: "ᴢ2ʐ",
  } as Readonly<Record<string, string>>,
  /** Two letters that are read as one. */
  pairs: [
    ["rn", "m"],
    ["vv", "w"],
  ] as readonly (readonly [string, string])[],
}
