// Text as people search it: without case, accents or ligatures.

const LIGATURES = { œ: "oe", æ: "ae", ß: "ss" };

export function fold(text) {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[œæß]/g, (sign) => LIGATURES[sign]);
}
